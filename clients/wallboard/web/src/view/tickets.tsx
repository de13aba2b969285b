// Screens that see the board with a ticket: making a link for one, and taking it back.
import { useEffect, useState } from "preact/hooks";
import { getTickets, makeTicket, revokeTicket, type Ticket } from "../api";
import { usePage } from "./app";

export function Tickets() {
  const { words } = usePage();
  const [tickets, setTickets] = useState<Ticket[]>([]);
  const [name, setName] = useState("");
  const [link, setLink] = useState("");
  const [problem, setProblem] = useState("");

  // Does it, then shows what there is now.
  const then = async (change: () => Promise<void>) => {
    try {
      setProblem("");
      await change();
      setTickets(await getTickets());
    } catch (error) {
      setProblem(words.text("tickets.failed", { why: (error as Error).message }));
    }
  };
  useEffect(() => void then(async () => {}), []);

  const make = (event: Event) => {
    event.preventDefault();
    void then(async () => {
      setLink(await makeTicket(name.trim()));
      setName("");
    });
  };
  const revoke = (ticket: Ticket) =>
    void then(async () => {
      await revokeTicket(ticket.name);
      setLink("");
    });
  return (
    <section class="tickets" aria-labelledby="tickets">
      <h2 id="tickets">{words.text("tickets.title")}</h2>
      {tickets.length === 0 && <p class="calm">{words.text("tickets.none")}</p>}
      <ul>
        {tickets.map((ticket) => (
          <li key={ticket.name} data-ticket={ticket.name}>
            <strong>{ticket.name}</strong>
            <span class="since">
              {ticket.expires === null
                ? words.text("tickets.since", { date: words.date(Date.parse(ticket.made)) })
                : words.text("tickets.until", { date: words.date(Date.parse(ticket.expires)) })}
            </span>
            <button type="button" class="quiet" onClick={() => revoke(ticket)}>
              {words.text("tickets.revoke")}
            </button>
          </li>
        ))}
      </ul>
      <form class="taking" onSubmit={make}>
        <label>
          {words.text("tickets.name")}
          <input name="screen" maxLength={80} value={name} required onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <div class="buttons">
          <button type="submit">{words.text("tickets.make")}</button>
        </div>
        {link !== "" && (
          <label class="ticket-link">
            {words.text("tickets.link")}
            <input readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
          </label>
        )}
        <p class="problem" role="alert">
          {problem}
        </p>
      </form>
    </section>
  );
}
