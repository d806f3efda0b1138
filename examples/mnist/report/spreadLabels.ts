/**
 * Moves labels apart until none is nearer than `gap` to the next, each as little as possible, none
 * beyond `[0, height]`.
 *
 * Labels that touch form a block around the mean of the places they would like to have; blocks that
 * touch merge. Where `height` is too small for all of them they stand evenly, nearer than `gap`.
 *
 * @param wanted  where each label would like to be, in any order.
 * @returns where each of them goes, in the same order; labels of equal wishes keep the order they
 *   came in.
 */
export function spreadLabels(wanted: number[], gap: number, height: number): number[] {
  const step = Math.min(gap, height / Math.max(1, wanted.length - 1));
  const order = wanted.map((_, index) => index).sort((a, b) => at(wanted, a) - at(wanted, b));
  const blocks: Block[] = [];
  for (const index of order) {
    let block = settled([index], wanted, step, height);
    for (
      let above = blocks.at(-1);
      above && above.top + above.labels.length * step > block.top;
      above = blocks.at(-1)
    ) {
      blocks.pop();
      block = settled([...above.labels, ...block.labels], wanted, step, height);
    }
    blocks.push(block);
  }
  const places = new Array<number>(wanted.length).fill(0);
  for (const {labels, top} of blocks) {
    labels.forEach((label, row) => {
      places[label] = top + row * step;
    });
  }
  return places;
}

interface Block {
  labels: number[];
  top: number;
}

function settled(labels: number[], wanted: number[], step: number, height: number): Block {
  const wish = labels.reduce((sum, label, row) => sum + at(wanted, label) - row * step, 0) / labels.length;
  return {labels, top: Math.max(0, Math.min(wish, height - (labels.length - 1) * step))};
}

const at = (values: number[], index: number) => values[index] as number;
