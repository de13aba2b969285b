// An alert as a sentence in the reader's language, made from its fields. The daemon's own sentences are English and
// are shown beside it on the supervisor's page.
import type { Alert, Segment } from "./api";
import type { Words } from "./i18n";
import { segmentName, type Names } from "./options";

/// What it is about: a segment, or where there is none a pool or a source.
export const alertSubject = (alert: Alert, names: Names): string =>
  alert.segment ? segmentName(alert.segment, names) : (names[alert.subject] ?? alert.subject);

/// What kind of thing happened: two words.
export const alertKind = (alert: Alert, words: Words): string => words.textOr(`kind.${alert.kind}`, alert.kind);

/// The alert with the value of its objective as it is now: the alert itself says the value at its last revision.
export function withValueNow(alert: Alert, segments: Segment[]): Alert {
  if (alert.state !== "firing" || alert.objective === "") return alert;
  const objective = segments.find((s) => s.id === alert.segment)?.objectives.find((o) => o.id === alert.objective);
  if (!objective || objective.value === null) return alert;
  return { ...alert, value: objective.value, target: objective.target, samples: objective.samples };
}

/// The figures of it; "" where the kind says everything.
export function alertDetail(alert: Alert, words: Words): string {
  switch (alert.kind) {
    case "no_agents":
      return words.text("alert.no_agents");
    case "source_stale":
      return words.text("alert.source_stale");
    case "log_failed":
      return words.text("alert.log_failed");
    case "staffing_gap":
      if (alert.value !== null && alert.target !== null && alert.target > alert.value)
        return words.counted("alert.people", alert.target - alert.value);
      return "";
  }
  if (alert.figure === "" || alert.value === null) return "";
  const figure = words.figureName(alert.figure);
  const value = words.figure(alert.figure, alert.value, alert.target);
  if (alert.target === null) return `${figure} ${value}`;
  const atMost = isLimit(alert);
  return words.text("alert.value", { figure, value, target: words.target(alert.figure, alert.target, atMost) });
}

// A wait, a backlog and the lost calls are limited from above; a share of good ones from below.
function isLimit(alert: Alert): boolean {
  return /_s$|^backlog$|^overdue$|^waiting$|^abandon_rate$/.test(alert.figure);
}
