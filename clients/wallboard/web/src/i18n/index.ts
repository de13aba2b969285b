// Texts, numbers and times in the reader's language.
import { de } from "./de";
import { en, type TextKey } from "./en";

export const languages = ["de", "en"] as const;
export type Language = (typeof languages)[number];
export type { TextKey };
export const dictionaries: Record<Language, Record<TextKey, string>> = { de, en };

/// What is not known is shown as this, never as 0.
export const absent = "–";

const percentFigures = /(_rate|^service_level|^reachability|^occupancy|_share)$/;

export class Words {
  private readonly whole: Intl.NumberFormat;
  private readonly percent0: Intl.NumberFormat;
  private readonly percent1: Intl.NumberFormat;
  private readonly plural: Intl.PluralRules;
  private readonly clock: Intl.DateTimeFormat;
  private readonly day: Intl.DateTimeFormat;

  constructor(
    readonly language: Language,
    timezone = "",
  ) {
    const locale = language === "de" ? "de-DE" : "en-GB";
    const zone = timezone === "" ? {} : { timeZone: timezone };
    this.whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.percent0 = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
    this.percent1 = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
    this.plural = new Intl.PluralRules(locale);
    this.clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", ...zone });
    this.day = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", ...zone });
  }

  text(key: TextKey, values: Record<string, string | number> = {}): string {
    return dictionaries[this.language][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? absent));
  }

  /// A key that may not be in the dictionary (a newer daemon's figure): its own name, readable.
  textOr(key: string, otherwise: string): string {
    const known: Record<string, string> = dictionaries[this.language];
    return known[key] ?? otherwise.replace(/_/g, " ");
  }

  counted(key: "alert.people", n: number): string {
    return this.text(`${key}.${this.plural.select(n) === "one" ? "one" : "other"}`, { n: this.count(n) });
  }

  count(n: number | null | undefined): string {
    return n === null || n === undefined ? absent : this.whole.format(n);
  }

  /// Whole percent, but with a decimal where rounding would put the value on the other side of its target:
  /// 79.6 % against 80 % must not read as 80 %.
  percent(ratio: number | null | undefined, target?: number | null): string {
    if (ratio === null || ratio === undefined) return absent;
    const rounded = Math.round(ratio * 100) / 100;
    const misleading = target !== null && target !== undefined && ratio < target !== rounded < target - 1e-9;
    return (misleading ? this.percent1 : this.percent0).format(misleading ? Math.trunc(ratio * 1000) / 1000 : ratio);
  }

  /// 42 → "0:42", 725 → "12:05", 3753 → "1:02:33".
  duration(seconds: number | null | undefined): string {
    if (seconds === null || seconds === undefined) return absent;
    const whole = Math.max(0, Math.floor(seconds));
    const two = (n: number) => String(n).padStart(2, "0");
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  }

  /// A value of the figure called `name` in its unit.
  figure(name: string, value: number | null, target?: number | null): string {
    if (name.endsWith("_s")) return this.duration(value);
    if (percentFigures.test(name)) return this.percent(value, target);
    return this.count(value);
  }

  figureName(name: string): string {
    return this.textOr(`figure.${name}`, name);
  }

  target(name: string, target: number, atMost: boolean): string {
    return this.text(atMost ? "target.at_most" : "target", { target: this.figure(name, target) });
  }

  /// "30m" → "last 30 min", "15m interval" → "this 15 min", "day" → "today".
  window(window: string): string {
    const parts = /^(\d+)(s|m|h)( interval)?$/.exec(window);
    if (!parts) return this.textOr(`window.${window}`, window);
    const unit = { s: "length.s", m: "length.min", h: "length.h" }[parts[2] as "s" | "m" | "h"] as TextKey;
    const length = this.text(unit, { n: Number(parts[1]) });
    return this.text(parts[3] ? "window.interval" : "window.rolling", { length });
  }

  time(at: number | string | null): string {
    const ms = typeof at === "string" ? Date.parse(at) : at;
    return ms === null || Number.isNaN(ms) ? absent : this.clock.format(ms);
  }
  date(at: number): string {
    return this.day.format(at);
  }
}
