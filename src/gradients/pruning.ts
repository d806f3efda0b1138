import type {Tensor, Variable} from '@tensorflow/tfjs-core';
import type {Traced} from './probe';
import type {RowPlan} from './rowPlan';
import type {TapeNode} from './tape';
import {dependents} from './walk';

/** How much of a model's backward pass can be cut to the selected rows. */
export interface Pruning {
  plan: RowPlan;
  /** Share of the multiplications behind the losses that runs on selected rows alone, in [0, 1]. */
  share: number;
  /** Whether some op takes rows and gives none, such as a mean over the batch: then fewer rows are not the same model. */
  mixesRows: boolean;
  /** The op, coming from the predictions, from which on all rows run backward; undefined where there is none. */
  blocker: string | undefined;
}

/** Follows the gradients from the predictions back, without computing any, and sees which of them stay cut. */
export function pruningOf(
  {plan, nodes, predictions, layerOf}: Traced & {plan: RowPlan},
  variables: Variable[],
): Pruning {
  const needed = dependents(nodes, variables);
  const isCut = new Map(predictions.map(({id}) => [id, true]));
  let blocker: string | undefined;
  const work = {all: 0, cut: 0};
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as TapeNode;
    const arriving = node.outputs.map(({id}) => isCut.get(id)).filter((cut) => cut !== undefined);
    const wanted = Object.entries(node.inputs).filter(([, {id}]) => needed.has(id));
    if (arriving.length === 0 || wanted.length === 0) continue;
    const {isRowwise, inputs, takesRows} = plan[i] as RowPlan[number];
    const staysCut = isRowwise && arriving.every(Boolean);
    if (!staysCut && takesRows) blocker ??= `${node.kernelName} in ${layerOf.get(node) ?? 'the model'}`;
    for (const [name, {id}] of wanted) isCut.set(id, (isCut.get(id) ?? true) && staysCut && inputs[name] !== undefined);
    const products = multiplications(node) * wanted.length;
    work.all += products;
    if (staysCut) work.cut += products;
  }
  const mixesRows = plan.some(({takesRows, givesRows}) => takesRows && !givesRows);
  return {plan, share: work.all === 0 ? 1 : work.cut / work.all, mixesRows, blocker};
}

/** Multiplications of one product with the saved tensors of a node, for each of its outputs: of matrices, or of a convolution. */
function multiplications({kernelName, saved = [], outputs}: TapeNode): number {
  const size = outputs[0]?.size ?? 0;
  const [a, b] = saved as [Tensor?, Tensor?];
  const filter = kernelName.startsWith('fused') ? a : b;
  if (kernelName.startsWith('fusedMatMul') || kernelName === 'BatchMatMul') return size * (a?.shape.at(-1) ?? 0);
  if (/^(fused)?(Depthwise)?Conv/i.test(kernelName)) return (size * (filter?.size ?? 0)) / (filter?.shape.at(-1) ?? 1);
  return 0;
}
