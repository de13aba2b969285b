// What the address asks for: ?segment=a&segment=b (or a,b), lang=de|en, mode=tv, theme=dark|light.
import { languages, type Language } from "./i18n";

export interface PageOptions {
  page: "board" | "supervisor";
  segments: string[]; // empty: all
  language: Language | null; // null: not asked for
  tv: boolean;
  theme: "dark" | "light" | null; // null: as the system prefers (dark on a television)
}

export function pageOptions(path: string, search: string): PageOptions {
  const query = new URLSearchParams(search);
  const language = query.get("lang");
  const theme = query.get("theme");
  return {
    page: path.replace(/\/+$/, "").endsWith("/supervisor") ? "supervisor" : "board",
    segments: query.getAll("segment").flatMap((ids) => ids.split(",")).filter((id) => id !== ""),
    language: asLanguage(language),
    tv: query.get("mode") === "tv",
    theme: theme === "dark" || theme === "light" ? theme : null,
  };
}

/// "de-AT" → "de"; null for a language we do not have.
export function asLanguage(tag: string | null | undefined): Language | null {
  const base = (tag ?? "").toLowerCase().split(/[-_]/)[0];
  return languages.find((one) => one === base) ?? null;
}

/// What people read, by the id of a segment or pool: the daemon's names, and over them the gateway's settings.
export type Names = Record<string, string>;
export function namesOf(segments: { id: string; name?: string }[], settings: Names): Names {
  const given = segments.filter((s) => s.name && s.name !== s.id).map((s) => [s.id, s.name!] as const);
  return { ...Object.fromEntries(given), ...settings };
}

/// "key-accounts" → "Key accounts", unless it has a name.
export function segmentName(id: string, names: Names): string {
  const given = names[id];
  if (given) return given;
  const words = id.replace(/[-_]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
