/**
 * A run's name as it fits into a figure, cut after `longest` characters; the table has it in full.
 */
export function runLabel(name: string, longest: number): string {
  return name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
}
