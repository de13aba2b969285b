// How many columns fill a screen with `count` tiles so that each is as large as can be.

/// Width over height at which a tile's content fits best.
export const tileShape = 1.5;

export function columns(count: number, width: number, height: number): number {
  let best = 1;
  let bestSize = 0;
  for (let cols = 1; cols <= count; cols++) {
    const rows = Math.ceil(count / cols);
    const size = Math.min(width / cols, (height / rows) * tileShape);
    if (size > bestSize * 1.001) {
      best = cols;
      bestSize = size;
    }
  }
  return best;
}
