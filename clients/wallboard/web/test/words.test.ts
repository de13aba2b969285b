import { describe, expect, it } from "vitest";
import { dictionaries, Words } from "../src/i18n";

const de = new Words("de", "Europe/Berlin");
const en = new Words("en", "Europe/Berlin");
const spaces = (text: string) => text.replace(/\s/g, " "); // Intl writes no-break spaces

describe("dictionaries", () => {
  it("have the same keys, none empty", () => {
    expect(Object.keys(dictionaries.de).sort()).toEqual(Object.keys(dictionaries.en).sort());
    for (const texts of Object.values(dictionaries)) for (const text of Object.values(texts)) expect(text.trim()).not.toBe("");
  });
  it("have the same places for values", () => {
    const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
    for (const [key, text] of Object.entries(dictionaries.en)) {
      expect([key, places(dictionaries.de[key as keyof typeof dictionaries.en])]).toEqual([key, places(text)]);
    }
  });
});

describe("percent", () => {
  it("is whole", () => {
    expect(spaces(de.percent(0.8444, 0.8))).toBe("84 %");
    expect(en.percent(1)).toBe("100%");
  });
  it("never rounds a missed target up to it, nor a met one below it", () => {
    expect(spaces(de.percent(0.797, 0.8))).toBe("79,7 %");
    expect(en.percent(0.7999, 0.8)).toBe("79.9%");
    expect(en.percent(0.8, 0.8)).toBe("80%");
    expect(en.percent(0.845, 0.845)).toBe("85%");
    expect(en.percent(0.844, 0.845)).toBe("84%");
  });
  it("is a dash where there is nothing", () => {
    expect(de.percent(null)).toBe("–");
    expect(de.figure("service_level", null, 0.8)).toBe("–");
  });
});

describe("duration", () => {
  it("counts minutes, then hours", () => {
    expect([0, 42.9, 725, 3753].map((s) => en.duration(s))).toEqual(["0:00", "0:42", "12:05", "1:02:33"]);
    expect(en.duration(null)).toBe("–");
    expect(en.duration(-0.2)).toBe("0:00");
  });
});

describe("figures and windows", () => {
  it("are written in their unit", () => {
    expect(en.figure("longest_wait_s", 134)).toBe("2:14");
    expect(en.figure("on_time_rate", 0.968)).toBe("97%");
    expect(de.figure("backlog", 1234)).toBe("1.234");
    expect(spaces(de.target("longest_wait_s", 120, true))).toBe("höchstens 2:00");
  });
  it("windows read as people say them, unknown ones as they are", () => {
    expect(en.window("30m")).toBe("last 30 min");
    expect(de.window("15m interval")).toBe("diese 15 min");
    expect(de.window("day")).toBe("heute");
    expect(de.window("fortnight")).toBe("fortnight");
  });
  it("times are in the board's zone", () => {
    expect(de.time("2026-11-23T08:00:00Z")).toBe("09:00");
    expect(de.time(null)).toBe("–");
  });
  it("count people in the singular too", () => {
    expect(de.counted("alert.people", 1)).toBe("1 Person fehlt");
    expect(en.counted("alert.people", 3)).toBe("3 people short");
  });
});
