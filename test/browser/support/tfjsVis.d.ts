/**
 * @file The little of tfjs-vis that is tried here: its own types bring in those of an old Vega,
 *   which are then taken for those of ours.
 */
import type {CustomCallbackArgs} from '@tensorflow/tfjs-layers';

export const show: {
  fitCallbacks(container: HTMLElement, metrics: string[], options?: {callbacks?: string[]}): CustomCallbackArgs;
};
