import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { BoardSettings, Me } from "../api";
import type { Board } from "../board";
import type { Feed } from "../feed";
import type { Words } from "../i18n";
import type { PageOptions } from "../options";
import { Supervisor } from "./supervisor";
import { Wallboard } from "./wallboard";

export interface Page {
  options: PageOptions;
  settings: BoardSettings;
  words: Words;
  me: Me;
}
const PageContext = createContext<Page | null>(null);
export const usePage = (): Page => useContext(PageContext)!;

/// `now` is the local time that never steps, in milliseconds; renewed every second and with each message.
export interface View {
  board: Board;
  now: number;
}

export function App({ feed, ...page }: Page & { feed: Feed }) {
  const [view, setView] = useState<View>({ board: feed.board, now: performance.now() });
  useEffect(() => {
    const renew = () => setView({ board: feed.board, now: performance.now() });
    const stop = feed.listen(renew);
    renew(); // what came between the first drawing and now
    const timer = setInterval(renew, 1000);
    return () => (stop(), clearInterval(timer));
  }, [feed]);
  return (
    <PageContext.Provider value={page}>
      {page.options.page === "supervisor" ? <Supervisor {...view} /> : <Wallboard {...view} />}
    </PageContext.Provider>
  );
}
