/** What decides whether the page may begin to train before anything is pressed. */
export interface Visit {
  /** The address sets nothing, so that the small first run is due: others may be hours of work. */
  isFirstRun: boolean;
  /** The reader's system asks for less motion. */
  reducesMotion: boolean;
  /** The reader's system asks for less data. */
  savesData: boolean;
  /** The tab is in the background. */
  isHidden: boolean;
  /** The backend would take seconds for a step. */
  isSlow: boolean;
}

/** Whether the page starts its small first run on its own. */
export const startsItself = ({isFirstRun, reducesMotion, savesData, isHidden, isSlow}: Visit): boolean =>
  isFirstRun && !reducesMotion && !savesData && !isHidden && !isSlow;

/** The visit of this page, as its browser describes it. */
export const visitNow = (isFirstRun: boolean, isSlow: boolean): Visit => ({
  isFirstRun,
  isSlow,
  reducesMotion: matchMedia('(prefers-reduced-motion: reduce)').matches,
  savesData: matchMedia('(prefers-reduced-data: reduce)').matches,
  isHidden: document.hidden,
});
