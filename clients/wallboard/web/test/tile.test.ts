import { describe, expect, it } from "vitest";
import type { Segment, Staffing, StreamEvents } from "../src/api";
import { longestWait, sharedPools, tileModel, type PoolStaffing } from "../src/tile";
import { scenes } from "../fixtures/scenes.mjs";

const at = Date.parse("2026-11-23T09:05:00Z");
const scene = scenes.breached(at) as unknown as { state: StreamEvents["state"]; staffing: Staffing[] };
const [calls, , mixed, , , items] = scene.state.segments as [Segment, Segment, Segment, Segment, Segment, Segment];
const staffing: PoolStaffing = { byPool: new Map(scene.staffing.map((s) => [s.pool, s])), shared: new Set() };
const model = (segment: Segment, lost = false) => tileModel(segment, staffing, lost, at);

describe("a tile", () => {
  it("shows the service level with its target and sample", () => {
    const tile = model(calls);
    expect(tile.status).toBe("breached");
    expect(tile.main).toMatchObject({ figure: "service_level", target: 0.8, met: 28, samples: 45, window: "30m" });
  });
  it("is never good on old data, whatever the objectives say", () => {
    const good: Segment = { ...mixed, objectives: mixed.objectives.map((o) => ({ ...o, status: "met" as const })) };
    expect(model(good).status).toBe("met");
    expect(model(good, true).status).toBe("stale");
    expect(model({ ...good, stale: true }).status).toBe("stale");
    expect(model({ ...good, objectives: good.objectives.map((o, i) => (i === 0 ? { ...o, status: "stale" as const } : o)) }).status).toBe("stale");
    const stale = model({ ...good, stale: true });
    expect([stale.main.status, stale.items?.onTime?.status]).toEqual(["stale", "stale"]);
    expect(stale.freshAt).toBe(Date.parse(good.fresh!));
  });
  it("is as urgent as any of its promises, but good only by the large one", () => {
    const [level] = calls.objectives;
    const wait = { ...level!, id: "wait", figure: "longest_wait_s", at_most: true, value: 3, target: 60 };
    const status = (a: string, b: string) =>
      model({ ...calls, objectives: [{ ...level!, status: a as never }, { ...wait, status: b as never }] }).status;
    expect(status("met", "breached")).toBe("breached");
    expect(status("met", "at_risk")).toBe("at_risk");
    expect(status("no_data", "met")).toBe("no_data");
    expect(status("closed", "met")).toBe("closed");
    expect(status("met", "no_data")).toBe("met");
  });
  it("shows the promised limit of a wait beside the wait", () => {
    const wait = { ...calls.objectives[0]!, id: "wait", figure: "longest_wait_s", at_most: true, value: 134, target: 120 };
    const tile = model({ ...calls, objectives: [calls.objectives[0]!, wait] });
    expect(tile.calls?.promise).toMatchObject({ target: 120, status: "breached" });
    expect(tile.others).toEqual([]);
  });
  it("takes a status it does not know for no data, not for good", () => {
    const odd = { ...calls, objectives: [{ ...calls.objectives[0]!, status: "splendid" as never }] };
    expect(model(odd).status).toBe("no_data");
  });
  it("keeps work items beside calls, and alone where there are no calls", () => {
    expect(model(mixed)).toMatchObject({ items: { backlog: 34, overdue: 0, onTime: { figure: "on_time_rate" } }, others: [{ figure: "reachability" }] });
    expect(model(mixed).calls).not.toBeNull();
    expect(model(items)).toMatchObject({ calls: null, main: { figure: "on_time_rate" }, items: { backlog: 83, overdue: 9, onTime: null } });
  });
  it("shows a segment without objectives without a verdict", () => {
    expect(model({ ...calls, objectives: [] })).toMatchObject({ status: "none", main: { target: null, samples: 45 } });
  });
  it("has no value where nothing was decided", () => {
    const none = { ...calls, objectives: [{ ...calls.objectives[0]!, status: "no_data" as const, value: null, samples: 0 }] };
    expect(model(none)).toMatchObject({ status: "no_data", main: { value: null, met: null } });
  });
  it("does not invent agents", () => {
    expect(model({ ...calls, agents: { ...calls.agents!, known: false } }).agents).toBeNull();
    expect(model({ ...calls, agents: null }).agents).toBeNull();
  });
});

describe("staffing on a tile", () => {
  it("is that of the current interval", () => {
    expect(model(calls).staffing).toEqual({ present: 8, required: 11, pool: null });
    const advice = staffing.byPool.get(calls.pool)!;
    const backwards = { ...staffing, byPool: new Map([[calls.pool, { ...advice, recommendations: [...advice.recommendations].reverse() }]]) };
    expect(tileModel(calls, backwards, false, at + 1800_000).staffing).toEqual({ present: 8, required: 12, pool: null });
    expect(tileModel(calls, backwards, false, at).staffing).toEqual({ present: 8, required: 11, pool: null });
    expect(tileModel(calls, staffing, false, at + 1800_000).staffing).toEqual({ present: 8, required: 12, pool: null });
  });
  it("is the pool's, and says so, where a pool serves several segments", () => {
    const shared = { ...staffing, shared: sharedPools([calls, { ...mixed, pool: calls.pool }]) };
    expect(tileModel(calls, shared, false, at).staffing).toMatchObject({ pool: "key-accounts" });
  });
  it("is absent without a recommendation", () => {
    expect(tileModel(calls, { byPool: new Map(), shared: new Set() }, false, at).staffing).toBeNull();
  });
});

describe("the longest wait", () => {
  it("ticks by itself", () => {
    expect(longestWait(model(calls), at)).toBe(134);
    expect(longestWait(model(calls), at + 5000)).toBe(139);
  });
  it("stands still on old data", () => {
    expect(longestWait(model(calls, true), at + 60_000)).toBe(134);
  });
  it("is absent when nobody waits", () => {
    expect(longestWait(model(mixed), at)).toBeNull();
  });
});
