// Starts the page: what the address asks for, who looks, the gateway's settings, the live feed; then draws.
import { render } from "preact";
import { getBoardSettings, getMe, type BoardSettings, type Me } from "./api";
import { Feed } from "./feed";
import { Words } from "./i18n";
import { asLanguage, pageOptions } from "./options";
import { App } from "./view/app";
import { SignIn } from "./view/sign-in";
import "@fontsource-variable/inter/wght.css";
import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/board.css";
import "./style/supervisor.css";
import "./style/access.css";

const startAnew = () => location.reload();
const retryMs = 1500;

async function start(): Promise<void> {
  const options = pageOptions(location.pathname, location.search);
  const root = document.documentElement;
  const theme = options.theme ?? (options.tv ? "dark" : null);
  if (theme) root.dataset["theme"] = theme;
  if (options.tv) root.dataset["mode"] = "tv";

  const me = await getMe().catch(() => undefined);
  const feed = new Feed(startAnew);
  if (me !== null) feed.start();
  // The gateway may be away, and the page from the browser's cache: it starts all the same, and anew with the answer.
  const absent: BoardSettings = { title: "", language: "", timezone: "", names: {} };
  const settings = me ? await getBoardSettings().catch(() => absent) : absent;
  const unknown: Me = { name: "", role: "viewer", screen: false, sign_in: false };
  if (me === undefined) setInterval(() => void getMe().then(startAnew, () => {}), retryMs);

  const language = options.language ?? asLanguage(settings.language) ?? asLanguage(navigator.language) ?? "en";
  const words = new Words(language, settings.timezone);
  root.lang = language;
  document.title = settings.title || words.text("title");
  const page = me === null ? <SignIn words={words} done={startAnew} />
    : <App feed={feed} options={options} settings={settings} words={words} me={me ?? unknown} />;
  render(page, document.getElementById("app")!);
}

void start();
