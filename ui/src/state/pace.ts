/** How often what is pushed is shown: the newest, and then the page has most of the time for whoever clicks and types. */

/** Of the time, showing takes one part and the rest is free for as many. */
const FREE = 3;
const LONGEST = 400;

/** Shows something; ends when it is on the page. */
export type Show = () => Promise<void>;
export type Pace = (show: Show) => void;

/** Shows everything at once. */
export const atOnce: Pace = (show) => void show();

const painted = () => new Promise<void>((done) => requestAnimationFrame(() => setTimeout(done)));
const wait = (time: number) => new Promise<void>((done) => setTimeout(done, time));

/** Shows the newest of what comes meanwhile, after a rest as long as showing takes, some times over. */
export function resting(): Pace {
  let next: Show | null = null;
  let busy = false;
  async function go() {
    busy = true;
    while (next) {
      const show = next;
      next = null;
      const begun = performance.now();
      await show();
      await painted();
      await wait(Math.min(LONGEST, (performance.now() - begun) * FREE));
    }
    busy = false;
  }
  return (show) => {
    next = show;
    if (!busy) void go();
  };
}
