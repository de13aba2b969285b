import { describe, expect, it } from "vitest";
import type { Alert } from "../src/api";
import { alertDetail, alertSubject } from "../src/alert-text";
import { Words } from "../src/i18n";
import { columns } from "../src/layout";
import { asLanguage, pageOptions, segmentName } from "../src/options";
import { trendData } from "../src/trend-data";
import { scenes } from "../fixtures/scenes.mjs";

describe("the layout of a television", () => {
  it("fills it with tiles as large as can be", () => {
    const cols = [1, 2, 4, 6, 9, 20].map((n) => columns(n, 1900, 920));
    expect(cols).toEqual([1, 2, 2, 3, 3, 5]);
  });
  it("is one column on a phone, and none breaks on nothing", () => {
    expect(columns(6, 390, 6000)).toBe(1);
    expect(columns(0, 1900, 920)).toBe(1);
    expect(columns(4, 0, 0)).toBe(1);
  });
});

describe("the address", () => {
  it("chooses page, segments, language, mode and theme", () => {
    expect(pageOptions("/", "?segment=a&segment=b,c&lang=de-AT&mode=tv&theme=light")).toEqual({
      page: "board", segments: ["a", "b", "c"], language: "de", tv: true, theme: "light",
    });
    expect(pageOptions("/supervisor", "?lang=fr&theme=pink")).toEqual({
      page: "supervisor", segments: [], language: null, tv: false, theme: null,
    });
    expect(asLanguage("EN_gb")).toBe("en");
  });
});

describe("names", () => {
  it("are given, or made from the id", () => {
    expect(segmentName("key-accounts", {})).toBe("Key accounts");
    expect(segmentName("key-accounts", { "key-accounts": "Großkunden" })).toBe("Großkunden");
  });
});

describe("an alert in words", () => {
  const alerts = (scenes.breached(0) as unknown as { alerts: { alerts: Alert[] } }).alerts.alerts;
  const de = new Words("de");
  it("says the figure against its target", () => {
    expect(alertDetail(alerts[0]!, de).replace(/\s/g, " ")).toBe("Servicelevel 62 %, Ziel 80 %");
    expect(alertDetail(alerts[1]!, de)).toBe("Längste Wartezeit 2:14, höchstens 2:00");
    expect(alertDetail(alerts[3]!, de)).toBe("3 Personen fehlen");
  });
  it("is about a segment, a pool or a source", () => {
    expect(alertSubject(alerts[0]!, {})).toBe("Key accounts");
    expect(alertSubject({ ...alerts[3]!, subject: "pbx1" }, {})).toBe("pbx1");
  });
});

describe("the trend", () => {
  it("has a gap where nothing was decided, and the last eight hours", () => {
    const hour = (h: number) => new Date(h * 3600_000).toISOString();
    const points = [[1, 9, 1], [9.5, 8, 2], [10, 0, 0]].map(([h, met, missed]) => ({ from: hour(h!), offered: 10, met: met!, missed: missed! }));
    expect(trendData({ segment: "a", interval_s: 1800, points }, 0.8)).toEqual({
      times: [9.5 * 3600, 10 * 3600], levels: [0.8, null], targets: [0.8, 0.8], low: 0.8, last: 0.8,
    });
    expect(trendData(null, 0.8).last).toBeNull();
  });
});
