// The form to sign in: all that is to be seen before somebody has.
import { useRef, useState } from "preact/hooks";
import { Refusal, signIn } from "../api";
import type { TextKey, Words } from "../i18n";
import { OtherLanguage } from "./top";

export function SignIn({ words, done }: { words: Words; done: () => void }) {
  const [problem, setProblem] = useState<TextKey | null>(null);
  const [sending, setSending] = useState(false);
  const password = useRef<HTMLInputElement>(null);

  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    const typed = new FormData(event.currentTarget as HTMLFormElement);
    setSending(true);
    setProblem(null);
    try {
      await signIn(String(typed.get("name")).trim(), String(typed.get("password")));
      done();
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 0;
      const refused = status === 400 || status === 401;
      setProblem(refused ? "signIn.refused" : status === 429 ? "signIn.tooMany" : "signIn.unreachable");
      setSending(false);
      password.current?.select();
    }
  };
  return (
    <main class="sign-in">
      <form onSubmit={(event) => void send(event)} method="post">
        <h1>{words.text("title")}</h1>
        <label>
          {words.text("signIn.name")}
          <input name="name" autocomplete="username" autocapitalize="none" maxLength={80} required autofocus />
        </label>
        <label>
          {words.text("signIn.password")}
          <input name="password" type="password" autocomplete="current-password" required ref={password} />
        </label>
        <p class="problem" role="alert">
          {problem && words.text(problem)}
        </p>
        <button type="submit" disabled={sending}>
          {words.text("signIn.send")}
        </button>
        <OtherLanguage words={words} />
      </form>
    </main>
  );
}
