import {element} from './element';
import {type Standings, whatHappened} from './whatHappened';

/** The sentence that follows what happened. */
export interface HappenedLine {
  draw(standings: Standings): void;
}

export function happenedLine(): HappenedLine {
  const place = element('happened', HTMLParagraphElement);
  return {
    draw(standings) {
      const text = whatHappened(standings);
      if (place.textContent !== text) place.textContent = text;
    },
  };
}
