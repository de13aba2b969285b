// The symbol of a status: a shape of its own each, so that it is told apart without colour.
import type { Status } from "../tile";

export function Mark({ status }: { status: Status }) {
  return (
    <svg class="mark" data-status={status} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {shapes[status]}
    </svg>
  );
}

const shapes = {
  met: (
    <>
      <circle class="body" cx="12" cy="12" r="11" />
      <path class="sign" d="M6.6 12.4l3.7 3.8 7.2-8" />
    </>
  ),
  at_risk: (
    <>
      <path class="body" d="M12 1.2 23.4 22H.6z" />
      <path class="sign" d="M12 9v6.2M12 18.4v.3" />
    </>
  ),
  breached: (
    <>
      <path class="body" d="M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z" />
      <path class="sign" d="M7.8 7.8l8.4 8.4m0-8.4l-8.4 8.4" />
    </>
  ),
  no_data: <path class="sign" d="M12 2a10 10 0 1 1-.01 0zM7.3 12h.02M12 12h.02M16.7 12h.02" />,
  closing: (
    <>
      <path class="sign" d="M12 2a10 10 0 1 1-.01 0z" />
      <path class="body" d="M12 2a10 10 0 0 1 0 20z" />
    </>
  ),
  closed: <path class="sign" d="M12 2a10 10 0 1 1-.01 0zM7 12h10" />,
  stale: <path class="sign" d="M5.5 2h13M5.5 22h13M7.5 2v4.2L12 12l4.5-5.8V2M7.5 22v-4.2L12 12l4.5 5.8V22" />,
  none: <path class="sign" d="M3 3h18v18H3z" />,
};
