import type {Run} from '../../experiment/results';
import {parseRuns} from '../../experiment/runs';
import {element, made} from './element';
import {lineSample} from './runPaint';

/** The runs to take: the usual ones, and those that the user adds. */
export interface RunChoices {
  /** Names of the chosen ones, in order. */
  chosen(): string[];
  /** Offers these beside those that are there, and chooses them alone. */
  choose(names: readonly string[]): void;
}

/**
 * @param onChange  told when other runs are chosen; @param onError  told why a run cannot be added.
 */
export function runChoices(
  usual: readonly string[],
  {onChange, onError}: {onChange: () => void; onError: (message: string) => void},
): RunChoices {
  const place = element('runs', HTMLDivElement);
  const [n, k] = [element('add-n', HTMLInputElement), element('add-k', HTMLInputElement)];
  const rule = element('add-rule', HTMLSelectElement);
  let runs = parseRuns(usual.join(','));
  let chosen = new Set(usual);

  function draw(): void {
    place.replaceChildren(
      ...runs.map((run, index) => {
        const label = made('label', '', 'choice run');
        const box = made('input', '', 'tick');
        box.type = 'checkbox';
        box.value = run.name;
        box.checked = chosen.has(run.name);
        box.addEventListener('change', () => {
          if (box.checked) chosen.add(run.name);
          else chosen.delete(run.name);
          onChange();
        });
        const text = made('span', run.name);
        text.append(made('small', inWords(run)));
        label.append(box, text, lineSample(runs, index));
        return label;
      }),
    );
  }

  function add(): void {
    const subject = 'The run';
    try {
      const [run] = parseRuns(`${n.value}/${k.value}${rule.value === 'random' ? '-random' : ''}`, subject) as [Run];
      if (!runs.some(({name}) => name === run.name)) runs = [...runs, run];
      chosen.add(run.name);
      draw();
      onChange();
    } catch (error) {
      onError((error as Error).message);
    }
  }

  element('add', HTMLButtonElement).addEventListener('click', add);
  for (const field of [n, k]) {
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      add();
    });
  }
  draw();
  return {
    chosen: () => runs.map(({name}) => name).filter((name) => chosen.has(name)),
    choose(names) {
      const known = new Set(runs.map(({name}) => name));
      runs = [...runs, ...parseRuns(names.join(',')).filter(({name}) => !known.has(name))];
      chosen = new Set(parseRuns(names.join(',')).map(({name}) => name));
      draw();
      onChange();
    },
  };
}

function inWords({n, k, rule}: Run): string {
  if (k === n) return `all ${n}, no mining`;
  return rule === 'random' ? `any ${k} of ${n}` : `the ${k} hardest of ${n}`;
}
