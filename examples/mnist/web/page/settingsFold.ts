import {element} from './element';

/** The settings: always open on wide screens, and folded on narrow ones once training begins. */
export interface SettingsFold {
  /** Folds them on a narrow screen. */
  fold(): void;
  unfold(): void;
  /** One line that a reader sees of folded settings. */
  summarise(text: string): void;
}

export function settingsFold(): SettingsFold {
  const details = element('settings', HTMLDetailsElement);
  const summary = element('settings-summary', HTMLSpanElement);
  const wide = matchMedia('(min-width: 64rem)');
  const fold = () => {
    details.open = wide.matches;
  };
  // The wide page has no handle to open them by.
  wide.addEventListener('change', fold);
  fold();
  return {
    fold,
    unfold() {
      details.open = true;
    },
    summarise(text) {
      if (summary.textContent !== text) summary.textContent = text;
    },
  };
}
