// The head of both pages: the title, how things stand in a word, the time; or since when nothing is heard.
import type { ComponentChildren } from "preact";
import { signOut } from "../api";
import { coreNow, lostSince } from "../board";
import type { Words } from "../i18n";
import { usePage, type View } from "./app";
import { Mark } from "./mark";

export function Top({ board, now, children }: View & { children?: ComponentChildren }) {
  const { words, settings, options } = usePage();
  const since = lostSince(board);
  const time = since === null ? (coreNow(board, now) ?? Date.now()) : Date.now();
  return (
    <header class="top">
      <h1>{settings.title || words.text("title")}</h1>
      {since !== null && board.complete ? (
        <p class="lost" role="alert">
          <Mark status="stale" />
          <strong>{words.text(board.linkLostAt !== null ? "lost.link" : "lost.daemon")}</strong>
          {/* The ticking age is no news to a screen reader. */}
          <span aria-hidden="true">{words.text("lost.since", { age: words.duration((now - since) / 1000) })}</span>
        </p>
      ) : (
        <div class="standing">{children}</div>
      )}
      {!options.tv && <Links />}
      <p class="clock">
        <span class="date">{words.date(time)}</span> <time>{words.time(time)}</time>
      </p>
    </header>
  );
}

function Links() {
  const { words, options, me } = usePage();
  const same = new URLSearchParams(location.search).toString();
  const page = options.page === "board" ? "supervisor" : "board";
  return (
    <nav>
      {me.sign_in && (
        <span class="who">
          {me.name}{" "}
          <button type="button" class="link" onClick={() => void signOut().then(() => location.reload())}>
            {words.text("signOut")}
          </button>
        </span>
      )}
      <a href={(page === "board" ? "/" : "/supervisor") + (same ? `?${same}` : "")}>{words.text(`page.${page}`)}</a>
      <OtherLanguage words={words} />
    </nav>
  );
}

export function OtherLanguage({ words }: { words: Words }) {
  const other = words.language === "de" ? "en" : "de";
  const query = new URLSearchParams(location.search);
  query.set("lang", other);
  return (
    <a href={`?${query}`} lang={other} hreflang={other}>
      {words.text("language.other")}
    </a>
  );
}
