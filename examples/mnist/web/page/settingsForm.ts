import type {Backend, Settings} from '../../experiment/results';
import {type AddressSettings, addressOf, inShort} from './address';
import type {DataChoice} from './dataChoice';
import {element} from './element';
import type {RunChoices} from './runChoices';

/** The numbers of a training run, and the form around all settings. */
export interface SettingsForm {
  /** Sets the fields as the address says. @returns a sentence for each value that cannot be. */
  fill(address: AddressSettings): string[];
  /** What is set; undefined if a field is wrong, which the browser then shows. */
  read(backend: Backend): Settings | undefined;
  /** What is set, complete or not. */
  now(backend: Backend): Settings;
  /** The address of what is set. */
  address(backend: Backend): string;
  /** Sets the next seed. */
  countSeed(): void;
  /** During a training run, only the backend can be changed. */
  lock(isLocked: boolean): void;
}

/** What the form begins with. */
export type FormDefaults = Pick<Settings, 'learningRate' | 'steps' | 'seed'> & {digits: number};

/** @param onChange  called when the user or an address changes a field. */
export function settingsForm(
  runs: RunChoices,
  data: DataChoice,
  defaults: FormDefaults,
  onChange: () => void,
): SettingsForm {
  const form = element('form', HTMLFormElement);
  const lr = element('lr', HTMLInputElement);
  const steps = element('steps', HTMLInputElement);
  const seed = element('seed', HTMLInputElement);
  lr.value = String(defaults.learningRate);
  steps.value = String(defaults.steps);
  seed.value = String(defaults.seed);
  data.drawn.value = String(defaults.digits);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', onChange);
  const now = (backend: Backend): Settings => ({
    learningRate: lr.valueAsNumber,
    steps: steps.valueAsNumber,
    seed: seed.valueAsNumber,
    backend,
    runs: runs.chosen(),
  });
  return {
    fill: (address) => [
      ...takeValues({lr, steps, seed, digits: data.drawn}, address),
      ...takeData(data, address.data),
      ...takeRuns(runs, address.runs),
    ],
    read: (backend) => (form.reportValidity() ? now(backend) : undefined),
    now,
    address: (backend) =>
      addressOf({
        runs: runs
          .chosen()
          .map((name) => name.replace(' ', '-'))
          .join(','),
        lr: lr.value,
        steps: steps.value,
        seed: seed.value,
        backend,
        ...(data.kind() === 'drawn' ? {digits: data.drawn.value} : {data: data.kind()}),
      }),
    countSeed() {
      seed.value = String((seed.valueAsNumber + 1) % 2 ** 32);
    },
    lock(isLocked) {
      for (const id of ['runs-field', 'training-field', 'data-field'])
        element(id, HTMLFieldSetElement).disabled = isLocked;
      element('locked', HTMLParagraphElement).hidden = !isLocked;
    },
  };
}

type FieldName = 'lr' | 'steps' | 'seed' | 'digits';

/** Sets the fields that can have their values. @returns a sentence for each other. */
function takeValues(fields: Record<FieldName, HTMLInputElement>, address: AddressSettings): string[] {
  return (Object.keys(fields) as FieldName[]).flatMap((name) => {
    const [field, value] = [fields[name], address[name]];
    if (value === undefined) return [];
    const before = field.value;
    field.value = value;
    if (field.value !== '' && field.checkValidity()) return [];
    field.value = before;
    return [`${name} cannot be ${inShort(value)}.`];
  });
}

function takeData(data: DataChoice, kind: string | undefined): string[] {
  if (kind === undefined || data.choose(kind)) return [];
  return [`data cannot be ${inShort(kind)}.`];
}

function takeRuns(runs: RunChoices, names: string | undefined): string[] {
  if (names === undefined) return [];
  try {
    runs.choose(names.split(','));
    return [];
  } catch (error) {
    return [(error as Error).message.replace(/got .*/s, inShort).replace(/^parseRuns: text/, 'runs')];
  }
}
