/** `0.8812` as `88.1 %`; a dash for what is not a number. */
export function percent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '–';
}
