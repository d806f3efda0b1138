import {readFileSync} from 'node:fs';
import {expect} from 'vitest';
import type {SeedFile} from '../../studies/command/seedFile';
import type {Study} from '../../studies/kit/study';
import {ROOT} from './sources';

/** Reads the committed seed 1 of a study, which must have the settings that the study has now. */
export function committedSeed<Seed>(study: Study<Seed>): Seed {
  const text = readFileSync(`${ROOT}docs/results/${study.name}/seed-1.json`, 'utf8');
  const {content, settings, versions} = JSON.parse(text) as SeedFile<Seed>;
  expect(settings).toEqual(study.settings(study.steps));
  expect(versions.backend).toBe('wasm');
  return content;
}
