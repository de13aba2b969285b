// The live connection to the gateway: opens it, notices when it is gone or only seems to be there, opens it again.
import { getMe } from "./api";
import { applyMessage, emptyBoard, loseLink, silenceMs, type Board, type Message } from "./board";

const names = ["connection", "state", "alerts", "alert", "staffing", "resync"] as const;
const retryMs = 1500;
const checkMs = 500;

export class Feed {
  board: Board = emptyBoard(performance.now());
  private stream: EventSource | null = null;
  private listeners = new Set<() => void>();
  private openedAt = 0;
  private checkedAt = Date.now();

  /// `ended` is called when the visitor may not look any more: signed out elsewhere, or the session or ticket is over.
  constructor(private readonly ended: () => void) {}

  start(): void {
    this.open();
    setInterval(() => this.check(), checkMs);
  }

  /// Calls `listener` after each change; returns how to stop it.
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private open(): void {
    this.stream?.close();
    this.openedAt = performance.now();
    const stream = new EventSource("/api/v1/stream");
    this.stream = stream;
    for (const name of names) {
      stream.addEventListener(name, (event) => {
        if (this.stream === stream) this.take({ name, content: JSON.parse((event as MessageEvent).data) } as Message);
      });
    }
    stream.onerror = () => {
      if (this.stream !== stream) return;
      this.set(loseLink(this.board, performance.now()));
      // Refused, not merely broken? An event source does not tell with which status.
      if (stream.readyState === EventSource.CLOSED) {
        getMe().then((me) => me === null && this.ended(), () => {});
      }
      // The browser's own retrying stops for good after some errors, and waits long after others.
      stream.close();
      this.stream = null;
      setTimeout(() => this.open(), retryMs);
    };
  }

  private take(message: Message): void {
    this.set(applyMessage(this.board, message, performance.now()));
  }

  // A cut cable breaks no connection, and a computer that slept missed what came: silence alone tells.
  private check(): void {
    const now = performance.now();
    const slept = Date.now() - this.checkedAt > silenceMs;
    this.checkedAt = Date.now();
    if (!this.stream) return;
    const silent = now - Math.max(this.openedAt, this.board.heardAt ?? 0) > silenceMs;
    if (!slept && !silent) return;
    this.set(loseLink(this.board, now));
    this.open();
  }

  private set(board: Board): void {
    if (board === this.board) return;
    this.board = board;
    for (const listener of this.listeners) listener();
  }
}
