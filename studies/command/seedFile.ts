import {join} from 'node:path';
import type {KeptFile} from './keptFile';

/** The file of one seed. */
export interface SeedFile<Seed = unknown> extends KeptFile<Seed> {
  seed: number;
}

export const seedPath = (folder: string, seed: number): string => join(folder, `seed-${seed}.json`);
