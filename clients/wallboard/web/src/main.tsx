// Starts the page: what the address asks for, the gateway's settings, the live feed; then draws.
import { render } from "preact";
import { getBoardSettings, type BoardSettings } from "./api";
import { Feed } from "./feed";
import { Words } from "./i18n";
import { asLanguage, pageOptions } from "./options";
import { App } from "./view/app";
import "@fontsource-variable/inter/wght.css";
import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/board.css";
import "./style/supervisor.css";

async function start(): Promise<void> {
  const options = pageOptions(location.pathname, location.search);
  const root = document.documentElement;
  const theme = options.theme ?? (options.tv ? "dark" : null);
  if (theme) root.dataset["theme"] = theme;
  if (options.tv) root.dataset["mode"] = "tv";

  const feed = new Feed();
  feed.start();
  // The page may come from the browser's cache while the gateway is away: it starts all the same.
  const settings: BoardSettings = await getBoardSettings().catch(() => ({ title: "", language: "", timezone: "", names: {} }));
  const language = options.language ?? asLanguage(settings.language) ?? asLanguage(navigator.language) ?? "en";
  const words = new Words(language, settings.timezone);
  root.lang = language;
  document.title = settings.title || words.text("title");
  render(<App feed={feed} options={options} settings={settings} words={words} />, document.getElementById("app")!);
}

void start();
