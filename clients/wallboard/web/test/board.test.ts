import { describe, expect, it } from "vitest";
import type { Alert, StreamEvents } from "../src/api";
import { applyMessage, coreNow, emptyBoard, loseLink, lostSince, openAlerts, type Board, type Message } from "../src/board";
import { scenes } from "../fixtures/scenes.mjs";

const at = Date.parse("2026-11-23T09:00:00Z");
const scene = scenes.breached(at) as unknown as { state: StreamEvents["state"]; alerts: StreamEvents["alerts"] };
const state = (content: Partial<StreamEvents["state"]> = {}): Message => ({ name: "state", content: { ...scene.state, ...content } });
const connection = (connected: boolean, silent_s = 0): Message => ({
  name: "connection",
  content: { connected, why: "", time: new Date(at).toISOString(), last_heard: new Date(at - silent_s * 1000).toISOString() },
});
const after = (messages: [number, Message][]): Board => messages.reduce((b, [now, m]) => applyMessage(b, m, now), emptyBoard(0));
const alert = (id: string, changes: Partial<Alert> = {}): Alert => ({ ...scene.alerts.alerts[0]!, id, ...changes });

describe("the link", () => {
  it("is lost until the whole state has come", () => {
    expect(lostSince(emptyBoard(5))).toBe(5);
    expect(lostSince(after([[10, connection(true)]]))).not.toBeNull();
    expect(lostSince(after([[10, state({ complete: false })]]))).not.toBeNull();
    expect(lostSince(after([[10, connection(true)], [11, state()]]))).toBeNull();
  });
  it("is lost since the last word, and stays so until a whole state comes again", () => {
    const board = loseLink(after([[10, state()], [2000, connection(true)]]), 8000);
    expect(lostSince(board)).toBe(2000);
    expect(lostSince(loseLink(board, 9000))).toBe(2000);
    expect(lostSince(applyMessage(board, connection(true), 9100))).toBe(2000);
    expect(lostSince(applyMessage(board, state(), 9200))).toBeNull();
  });
  it("to the daemon is lost since the gateway last heard it", () => {
    const lost = after([[10, state()], [50_000, connection(false, 3)]]);
    expect(lostSince(lost)).toBe(47_000);
    expect(lostSince(applyMessage(lost, connection(false, 0), 52_000))).toBe(47_000);
    expect(lostSince(applyMessage(lost, connection(true), 53_000))).toBeNull();
  });
});

describe("the state", () => {
  it("takes changes in place and keeps the order", () => {
    const changed = { ...scene.state.segments[1]!, pool: "changed" };
    const board = applyMessage(after([[0, state()]]), state({ complete: false, segments: [changed], sources: [] }), 1);
    expect(board.segments.map((s) => s.id)).toEqual(scene.state.segments.map((s) => s.id));
    expect(board.segments[1]!.pool).toBe("changed");
  });
  it("forgets what a whole state does not name", () => {
    const board = applyMessage(after([[0, state()]]), state({ segments: scene.state.segments.slice(0, 1) }), 1);
    expect(board.segments).toHaveLength(1);
  });
});

describe("core time", () => {
  it("ticks between messages and follows the least delayed one", () => {
    const late = state({ complete: false, segments: [], sources: [], time: new Date(at + 1000).toISOString() });
    const board = after([[0, state()], [4000, late]]); // three seconds under way
    expect(coreNow(board, 5000)).toBe(at + 5000);
    expect(coreNow(emptyBoard(0), 5000)).toBeNull();
  });
  it("starts anew with a whole state, even to an earlier time", () => {
    const earlier = state({ time: new Date(at - 3600_000).toISOString(), segments: [] });
    expect(coreNow(after([[0, state()], [10, earlier]]), 10)).toBe(at - 3600_000);
  });
});

describe("alerts", () => {
  it("keep the highest revision", () => {
    const board = after([[0, { name: "alert", content: alert("a", { revision: 3 }) }], [1, { name: "alert", content: alert("a", { revision: 2 }) }]]);
    expect(board.alerts.get("a")!.revision).toBe(3);
  });
  it("are open while they fire and follow from nothing, newest first, of the segments shown or of none", () => {
    const all = [
      alert("old", { fired: "2026-11-23T08:00:00Z" }),
      alert("new", { fired: "2026-11-23T08:30:00Z" }),
      alert("pool", { segment: "", fired: "2026-11-23T07:00:00Z" }),
      alert("pending", { state: "pending" }),
      alert("done", { state: "resolved" }),
      alert("follows", { inhibited_by: "old" }),
      alert("elsewhere", { segment: "other" }),
    ];
    const board = after([[0, { name: "alerts", content: { time: null, alerts: all } }]]);
    expect(openAlerts(board, new Set(["key-accounts"])).map((a) => a.id)).toEqual(["new", "old", "pool"]);
    expect(board.alertsKnown).toBe(true);
  });
});
