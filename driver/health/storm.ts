/**
 * Whether many engines are just coming back: a health-manager was started again, or another one has ended. While they come,
 * those that are not there yet are not dead but standing in line.
 */
export interface Storm {
  /** An engine has come. Gives until when nothing is concluded from the silence of others; undefined: it is no storm. */
  arrived(): number | undefined;
}

/** So many within this time (milliseconds) are more than engines that come one by one. */
const MANY = 20;
const AT_ONCE = 5_000;
/** However long they come, silence counts again after this. Milliseconds. */
const LONGEST = 60_000;

/** @param now milliseconds, monotonic @param grace milliseconds that the next may take to come */
export function watchForStorm(now: () => number, grace: number): Storm {
  const recent: number[] = [];
  let began: number | undefined;
  return {
    arrived() {
      const at = now();
      recent.push(at);
      if (recent.length > MANY) recent.shift();
      const [first = at] = recent;
      if (recent.length < MANY || at - first > AT_ONCE) {
        if (at - first > LONGEST) began = undefined;
        return undefined;
      }
      if (began === undefined || at - began > 2 * LONGEST) began = first;
      return Math.min(at + grace, began + LONGEST);
    },
  };
}
