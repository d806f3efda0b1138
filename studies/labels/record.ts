import type {DataMap, FinderRecord} from './labelFinders';
import type {TeachingRecord} from './teaching';

/** The measurements of one seed. */
export interface LabelsRecord {
  finders: FinderRecord[];
  teaching: TeachingRecord[];
  /** With the larger share of wrong labels. */
  map: DataMap;
}
