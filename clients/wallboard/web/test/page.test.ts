import { describe, expect, it } from "vitest";
import type { Alert, Segment } from "../src/api";
import { alertDetail, alertSubject, withValueNow } from "../src/alert-text";
import { Words } from "../src/i18n";
import { columns } from "../src/layout";
import { asLanguage, namesOf, pageOptions, segmentName } from "../src/options";
import { trendData, withLivePoint } from "../src/trend-data";
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
    expect(namesOf([{ id: "a", name: "Alpha" }, { id: "b", name: "Beta" }, { id: "c", name: "" }, { id: "d", name: "d" }], { b: "B" })).toEqual({ a: "Alpha", b: "B" });
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
  it("says the value of now while it fires", () => {
    const segments = (scenes.breached(0) as unknown as { state: { segments: Segment[] } }).state.segments;
    const old = { ...alerts[0]!, value: 0.79 };
    expect(withValueNow(old, segments).value).toBeCloseTo(28 / 45);
    expect(withValueNow({ ...old, state: "resolved" }, segments).value).toBe(0.79);
    expect(withValueNow({ ...old, segment: "gone" }, segments).value).toBe(0.79);
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
    expect(trendData({ segment: "a", interval_s: 1800, points }, [], 0.8)).toEqual({
      times: [10 * 3600, 10.5 * 3600], levels: [0.8, null], targets: [0.8, 0.8], low: 0.8, last: 0.8,
    });
    expect(trendData(null, [], 0.8).last).toBeNull();
  });
  it("goes on from the last closed interval to now", () => {
    const points = [{ from: "1970-01-01T00:00:00Z", offered: 2, met: 1, missed: 1 }];
    const live = [{ at: 800, level: 0.9 }, { at: 1000, level: 0.7 }];
    expect(trendData({ segment: "a", interval_s: 900, points }, live, null)).toMatchObject({ times: [900, 1000], levels: [0.5, 0.7] });
  });
  it("takes a live point every ten seconds, and begins anew when the clock steps back", () => {
    const one = withLivePoint([], 100, 0.5);
    expect(withLivePoint(one, 109, 0.6)).toBe(one);
    expect(withLivePoint(one, 110, 0.6)).toHaveLength(2);
    expect(withLivePoint(one, 99, 0.6)).toEqual([{ at: 99, level: 0.6 }]);
    expect(withLivePoint(one, 100 + 3601, 0.6)).toHaveLength(1);
  });
});
