import type {Backend} from '../experiment/results';
import type {Offer} from './protocol';

/** From the one that is quickest on most machines to the one that always runs. */
const IN_ORDER: readonly Backend[] = ['webgpu', 'webgl', 'wasm', 'cpu'];

/**
 * The best backend that is available: GPUs first, but those rendered in software come after
 * wasm, which is quicker.
 */
export function preferredBackend(offers: readonly Offer[]): Backend | undefined {
  const rank = ({backend, isSoftware}: Offer) => IN_ORDER.indexOf(backend) + (isSoftware ? IN_ORDER.length : 0);
  const [best] = offers.filter(({available}) => available).sort((a, b) => rank(a) - rank(b));
  return best?.backend;
}

/** Whether a GPU names itself as one of those that run on the processor. */
export const isSoftwareGpu = (name: string): boolean =>
  /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(name);
