/**
 * Turns the records of seeds, which have a record of each arm, into arms with a record of each
 * seed.
 */
export const byArm = <Record>(seeds: Record[][]): Record[][] =>
  (seeds[0] as Record[]).map((_, index) => seeds.map((seed) => seed[index] as Record));
