import {
  add,
  addN,
  div,
  linspace,
  mod,
  mul,
  type NamedTensorMap,
  range,
  reshape,
  type Scalar,
  scalar,
  sqrt,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';
import {onTape} from './onTape';
import {planRows, type RowPlan} from './rowPlan';
import {takeRows} from './rows';
import type {TapeNode} from './tape';
import {takeRowsNode, walkBack} from './walk';

/** Rows of the two probes; different, and unlike the widths of most layers. */
const SMALL = 3;
const LARGE = 5;
const KEPT = [1, 3];
/** Rows to predict alone: not those in the middle, which stay where they are when the batch is turned round. */
const ALONE = [0, 1];
/** Largest relative difference of gradients that are the same but for rounding. */
const TOLERANCE = 1e-4;

/** What two small forward passes told of a model. */
export interface Traced {
  /** Undefined where the ops are not the same each time. */
  plan: RowPlan | undefined;
  /** The tape of the larger probe, for its shapes; what it saved is disposed. */
  nodes: readonly TapeNode[];
  predictions: readonly Tensor[];
  /** The layer that each node belongs to. */
  layerOf: ReadonlyMap<TapeNode, string>;
}

export interface Probed extends Traced {
  /**
   * `float32[2]`, where the plan was tried: how much the gradients of some rows differ from what the whole tape gives, and predictions of
   * some rows alone from those among the others. `verdict` reads them.
   */
  trial: Tensor1D | undefined;
}

/** What the two numbers of a trial say. */
export interface Verdict {
  /** Whether the plan gave the gradients of the whole tape. */
  fits: boolean;
  /** Whether nothing could be told of these very rows, since a gradient was not finite. */
  isUndecided: boolean;
  /** Whether some rows alone were predicted as among the others. */
  isRowByRow: boolean;
}

/** Judges a plan by its trial. Fewer rows than a probe has are the same ones several times, and nothing shows in their difference. */
export function verdict(
  [difference = Number.NaN, alone = Number.NaN]: ArrayLike<number> & Iterable<number>,
  batchSize: number,
): Verdict {
  return {
    fits: difference <= TOLERANCE,
    isUndecided: !Number.isFinite(difference),
    isRowByRow: alone <= TOLERANCE && batchSize >= LARGE,
  };
}

/** What a probe needs of a layer: its name, and the method to listen to. */
export interface ProbedLayer {
  name: string;
  call(...args: never[]): unknown;
}

/**
 * Finds out how rows run through a model from two forward passes over the first rows of a batch, and tries the plan on the second,
 * if that is wanted: the gradients of some rows must be those that the whole tape gives.
 *
 * Reads nothing back. The caller sees to what a forward pass changes, the statistics of batch normalisation.
 */
export function probe(
  xs: Tensor[],
  predict: (xs: Tensor[], training: boolean) => Tensor[],
  variables: Variable[],
  layers: readonly ProbedLayer[],
  triesPlan: boolean,
): Probed {
  return tidy(() => {
    // Taken before a tape is on, which would record it.
    const [xsOfSmall, xsOfLarge] = [firstRows(xs, SMALL), firstRows(xs, LARGE)];
    let small: readonly TapeNode[] = [];
    onTape(variables, ({nodes, untaped}) => {
      predict(xsOfSmall, true);
      small = [...nodes()];
      return untaped(() => []);
    });
    let traced: Traced = {plan: undefined, nodes: [], predictions: [], layerOf: new Map()};
    const layerOf = new Map<TapeNode, string>();
    const difference = onTape(variables, ({nodes, untaped}) => {
      const predictions = withListeners(layers, nodes, layerOf, () => predict(xsOfLarge, true));
      const forward = [...nodes()];
      const plan = planRows(small, SMALL, forward, LARGE);
      traced = {plan, nodes: forward, predictions, layerOf};
      if (!triesPlan || !plan) return untaped(() => scalar(0));
      const rows = tensor1d(KEPT, 'int32');
      const taken = untaped(() => predictions.map((prediction) => takeRows(prediction, rows)));
      // Any function of the kept rows will do, as long as no two entries are alike.
      const y = addN(taken.map((kept) => sum<Scalar>(mul(kept, reshape(linspace(-1, 2, kept.size), kept.shape)))));
      const all = [
        ...forward,
        ...predictions.map((prediction, i) => takeRowsNode(prediction, taken[i] as Tensor)),
        ...nodes().slice(forward.length),
      ];
      return untaped(() => {
        const cut = {rows, batchSize: LARGE, plan};
        return relativeDifference(
          walkBack(all, y, variables, cut),
          walkBack(all, y, variables, {...cut, plan: undefined}, 'as recorded'),
        );
      });
    });
    const isTried = triesPlan && traced.plan !== undefined;
    const trial = isTried ? (stack([difference, differenceAlone(xsOfLarge, predict)]) as Tensor1D) : undefined;
    return {...traced, trial} as never;
  });
}

/** Notes which layer each op is recorded in; the innermost, where a layer calls others. */
function withListeners<T>(
  layers: readonly ProbedLayer[],
  nodes: () => readonly TapeNode[],
  layerOf: Map<TapeNode, string>,
  f: () => T,
): T {
  const originals = layers.map((layer) => Object.getOwnPropertyDescriptor(layer, 'call'));
  for (const layer of layers) {
    const {call} = layer;
    layer.call = (...args) => {
      const start = nodes().length;
      const result = call.apply(layer, args);
      for (const node of nodes().slice(start)) if (!layerOf.has(node)) layerOf.set(node, layer.name);
      return result;
    };
  }
  try {
    return f();
  } finally {
    layers.forEach((layer, i) => {
      const original = originals[i];
      if (original) Object.defineProperty(layer, 'call', original);
      else Reflect.deleteProperty(layer, 'call');
    });
  }
}

function firstRows(xs: Tensor[], count: number): Tensor[] {
  return xs.map((x) => takeRows(x, mod(range(0, count, 1, 'int32'), x.shape[0] as number) as Tensor1D));
}

/** How much predictions of some rows differ when the others are away, in inference mode: nothing is drawn there, and no statistic moves. */
function differenceAlone(xs: Tensor[], predict: (xs: Tensor[], training: boolean) => Tensor[]): Scalar {
  const rows = tensor1d(ALONE, 'int32');
  const taken = (tensors: Tensor[]) => tensors.map((tensor) => takeRows(tensor, rows));
  return relativeDifference(named(predict(taken(xs), false)), named(taken(predict(xs, false))));
}

function named(tensors: Tensor[]): NamedTensorMap {
  return Object.fromEntries(tensors.entries());
}

/** `‖a − b‖ / ‖b‖` over all tensors, `float32[]`. */
function relativeDifference(a: NamedTensorMap, b: NamedTensorMap): Scalar {
  const norm = (terms: Tensor[]) => sqrt(addN(terms.map((term) => sum(square(term)))));
  const names = Object.keys(b);
  const difference = norm(names.map((name) => sub(a[name] as Tensor, b[name] as Tensor)));
  return div(difference, add(norm(names.map((name) => b[name] as Tensor)), 1e-30)) as Scalar;
}
