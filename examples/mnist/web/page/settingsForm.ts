import {DEFAULTS} from '../../experiment/defaults';
import type {Backend, Settings} from '../../experiment/results';
import {type AddressSettings, addressOf} from './address';
import {element} from './element';
import type {RunChoices} from './runChoices';

/** The numbers of a training run, and the form around all settings. */
export interface SettingsForm {
  /** Sets the fields as the address says. @returns what it says and cannot be. */
  fill(address: AddressSettings, drawn: HTMLInputElement): string[];
  /** What is set; undefined if a field is wrong, which the browser then shows. */
  read(backend: Backend): Settings | undefined;
  /** The address of what is set. */
  address(backend: Backend, drawn: HTMLInputElement | undefined): string;
  /** During a training run, only the backend can be changed. */
  lock(isLocked: boolean): void;
}

export function settingsForm(runs: RunChoices): SettingsForm {
  const form = element('form', HTMLFormElement);
  const lr = element('lr', HTMLInputElement);
  const steps = element('steps', HTMLInputElement);
  const seed = element('seed', HTMLInputElement);
  lr.value = String(DEFAULTS.learningRate);
  steps.value = String(DEFAULTS.steps);
  seed.value = String(DEFAULTS.seed);
  form.addEventListener('submit', (event) => event.preventDefault());
  return {
    fill({runs: names, ...values}, drawn) {
      const wrong: string[] = [];
      const set = (name: string, field: HTMLInputElement, value: string | undefined) => {
        if (value === undefined) return;
        const before = field.value;
        field.value = value;
        if (field.checkValidity()) return;
        field.value = before;
        wrong.push(`${name} cannot be ${value}.`);
      };
      set('lr', lr, values.lr);
      set('steps', steps, values.steps);
      set('seed', seed, values.seed);
      set('digits', drawn, values.digits);
      try {
        if (names) runs.choose(names.split(','));
      } catch (error) {
        wrong.push((error as Error).message);
      }
      return wrong;
    },
    read(backend) {
      if (!form.reportValidity()) return undefined;
      return {
        learningRate: lr.valueAsNumber,
        steps: steps.valueAsNumber,
        seed: seed.valueAsNumber,
        backend,
        runs: runs.chosen(),
      };
    },
    address: (backend, drawn) =>
      addressOf({
        runs: runs
          .chosen()
          .map((name) => name.replace(' ', '-'))
          .join(','),
        lr: lr.value,
        steps: steps.value,
        seed: seed.value,
        backend,
        ...(drawn && {digits: drawn.value}),
      }),
    lock(isLocked) {
      for (const id of ['runs-field', 'training-field', 'data-field'])
        element(id, HTMLFieldSetElement).disabled = isLocked;
      element('locked', HTMLParagraphElement).hidden = !isLocked;
    },
  };
}
