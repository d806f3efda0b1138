import type {Run} from '../../experiment/results';
import {percent} from '../../report/percent';
import type {Curves, View} from '../protocol';
import {element, made} from './element';

/** The row of numbers about the run that is looked into. */
export interface InsideFigures {
  clear(run: Run | undefined): void;
  draw(view: View, run: Run, curves: Curves): void;
}

export function insideFigures(): InsideFigures {
  const places = {
    accuracy: element('n-accuracy', HTMLElement),
    time: element('n-time', HTMLElement),
    share: element('n-share', HTMLElement),
    tensors: element('n-tensors', HTMLElement),
    strategy: element('n-strategy', HTMLElement),
  };
  const names = document.querySelectorAll('.shown-run');
  const call = (name: string) => {
    for (const place of names) if (place.textContent !== name) place.textContent = name;
  };
  const share = ({n, k}: Run) => percent(k / n).replace('.0 %', ' %');
  return {
    clear(run) {
      for (const place of Object.values(places)) place.textContent = '–';
      call(run?.name ?? 'the run');
      if (run) places.share.textContent = share(run);
    },
    draw({msPerStep, tensors, strategy, why}, run, {testAccuracy}) {
      call(run.name);
      places.accuracy.textContent = percent(testAccuracy.at(-1)?.accuracy ?? Number.NaN);
      places.time.textContent = `${msPerStep.toFixed(msPerStep < 10 ? 1 : 0)} ms`;
      places.share.textContent = share(run);
      places.tensors.textContent = tensors.toLocaleString('en-US');
      places.strategy.replaceChildren(made('strong', strategy), `: ${why}`);
    },
  };
}
