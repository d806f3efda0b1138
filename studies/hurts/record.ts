import type {TurnRecord} from '../kit/trainInTurn';

/** The measures of a model, by name. */
export type Quality = Record<string, number>;

/** The rules of one case, trained in turn with one seed. */
export interface HurtsRecord {
  task: string;
  rules: TurnRecord<Quality>[];
}
