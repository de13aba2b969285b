// What the gateway sends: the shapes of /api/v1 (openapi.json). Absent is null, never 0. Times are RFC 3339 text.

export interface Figures {
  offered: number;
  waiting: number;
  longest_wait_s: number | null;
  service_level: number | null;
  backlog: number;
  overdue: number;
  items_received: number;
  met: number;
  missed: number;
  [figure: string]: number | null;
}

export interface Agents {
  available: number;
  ringing: number;
  busy: number;
  wrap_up: number;
  paused: number;
  logged_in: number;
  known: boolean;
}

export type ObjectiveStatus = "met" | "at_risk" | "breached" | "no_data" | "stale" | "closing" | "closed";

export interface Objective {
  id: string;
  status: ObjectiveStatus;
  value: number | null;
  target: number;
  samples: number;
  min_samples: number;
  figure: string;
  window: string;
  service: string;
  at_most: boolean;
  risk: number | null;
}

export interface Acknowledgement {
  by: string;
  note: string;
  at: string | null;
  until: string | null;
}

export interface Alert {
  id: string;
  revision: number;
  kind: string;
  state: "pending" | "firing" | "resolved";
  segment: string;
  contract: string;
  objective: string;
  subject: string;
  figure: string;
  value: number | null;
  target: number | null;
  window: string;
  samples: number;
  pending_since: string | null;
  fired: string | null;
  resolved: string | null;
  changed: string | null;
  evidence: string[];
  help: string;
  summary: string;
  stale: boolean;
  acknowledged: Acknowledgement | null;
  inhibited_by: string;
  corrected: boolean;
}

export interface Segment {
  id: string;
  name: string; // what people read; empty: the id
  time: string | null;
  stale: boolean;
  stale_reason: string;
  fresh: string | null;
  calendar: string;
  figures: Figures | null;
  agents: Agents | null;
  objectives: Objective[];
  longest_wait_since: string | null;
  pool: string;
}

export interface Source {
  id: string;
  state: string;
  last_heard: string | null;
}

export interface Expected {
  service_level: number | null;
  asa_s: number | null;
  occupancy: number | null;
  p_abandon: number | null;
}

export interface Recommendation {
  pool: string;
  segment: string;
  interval_start: string | null;
  interval_s: number;
  required: number | null;
  available: number | null;
  gap: number | null;
  scheduled: number | null;
  for_calls: number | null;
  for_items: number | null;
  at_current: Expected | null;
  at_required: Expected | null;
  forecast: { calls: number | null; low: number | null; high: number | null; basis: string } | null;
  assumptions: string[];
  not_enough_data: boolean;
  reason: string;
}

export interface Staffing {
  pool: string;
  time: string | null;
  recommendations: Recommendation[];
  agents: Agents | null;
}

export interface TrendPoint {
  from: string | null;
  offered: number;
  met: number;
  missed: number;
}

export interface History {
  segment: string;
  interval_s: number;
  points: TrendPoint[];
}

/// The gateway's own settings for the page.
export interface BoardSettings {
  title: string;
  language: string;
  timezone: string;
  names: Record<string, string>;
}

/// Who looks at the page. sign_in: false where nobody has to; then the name is empty.
export interface Me {
  name: string;
  role: "viewer" | "supervisor";
  screen: boolean; // came with a ticket
  sign_in: boolean;
}

/// Lets a screen see the board without anybody's password.
export interface Ticket {
  name: string;
  made: string;
  expires: string | null;
}

/// Events of /api/v1/stream, by name.
export interface StreamEvents {
  /** On a change, and every two seconds as a sign of life. */
  connection: { connected: boolean; why: string; time: string; last_heard: string | null };
  /** complete: replaces everything known; else the named segments and sources only. */
  state: { time: string | null; complete: boolean; segments: Segment[]; sources: Source[] };
  /** Replaces every alert known. */
  alerts: { time: string | null; alerts: Alert[] };
  alert: Alert;
  staffing: Staffing;
  /** This connection lost something and ends; the next one begins with everything. */
  resync: { why: string };
}

/// The gateway said no; the message is its sentence. status: of HTTP.
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  const response = await fetch(path, options);
  if (response.ok) return (await response.json()) as T;
  const said = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new Refusal(said?.error?.message ?? `${response.status}`, response.status);
}
const get = <T>(path: string) => ask<T>(path, { headers: { accept: "application/json" } });
const post = <T>(path: string, content: object = {}) =>
  ask<T>(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(content) });

export const getBoardSettings = () => get<BoardSettings>("/api/v1/board");
export const getHistory = (segment: string) => get<History>(`/api/v1/history?segment=${encodeURIComponent(segment)}`);

/// null: nobody; the form to sign in is due.
export const getMe = (): Promise<Me | null> =>
  get<Me>("/api/v1/me").catch((error: unknown) => {
    if (error instanceof Refusal && error.status === 401) return null;
    throw error;
  });
export const signIn = (name: string, password: string) => post<Me>("/api/v1/sign-in", { name, password });
export const signOut = () => post("/api/v1/sign-out");

export const getTickets = async () => (await get<{ tickets: Ticket[] }>("/api/v1/tickets")).tickets;
/// The link, with a secret that is told this once.
export const makeTicket = async (name: string) =>
  new URL((await post<{ link: string }>("/api/v1/tickets", { name })).link, location.origin).href;
export const revokeTicket = (name: string) => post(`/api/v1/tickets/${encodeURIComponent(name)}/revoke`);

/// Takes an alert. by: only where nobody signs in; otherwise it is who did.
export const acknowledge = (alert: string, by: string, note: string) =>
  post<Alert>(`/api/v1/alerts/${encodeURIComponent(alert)}/acknowledge`, by === "" ? { note } : { by, note });
