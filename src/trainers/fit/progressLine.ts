import {CustomCallback, type Logs} from '@tensorflow/tfjs-layers';

/** Where the line goes: a terminal, on which it is written anew, or a file, which gets a line for each epoch. */
type Output = {isTTY?: boolean; write(text: string): unknown};

/** The standard output of Node; undefined elsewhere. */
function standardOutput(): Output | undefined {
  const {process} = globalThis as {process?: {versions?: {node?: string}; stdout?: Output}};
  return process?.versions?.node === undefined ? undefined : process.stdout;
}

/** A callback that shows how far a training is, in Node only: `Epoch 2/10 [=====>    ] 12/24 loss 0.31 acc 0.9`. */
export function progressLine(epochs: number, batches: number | undefined): CustomCallback | undefined {
  const output = standardOutput();
  if (!output) return undefined;
  let epoch = 0;
  const show = (done: string, logs: Logs, end: string) => {
    const line = [`Epoch ${epoch + 1}/${epochs}`, done, ...figures(logs)].filter((part) => part !== '').join(' ');
    output.write(`${output.isTTY ? '\r\x1b[2K' : ''}${line}${end}`);
  };
  const callback = new CustomCallback(
    {
      onEpochBegin: (begun) => {
        epoch = begun;
      },
      onBatchEnd: (batch, logs) => {
        if (output.isTTY) show(bar(batch + 1, batches), logs ?? {}, '');
      },
      onEpochEnd: (_, logs) => show('', logs ?? {}, '\n'),
    },
    'never',
  );
  return callback;
}

const WIDTH = 20;

function bar(done: number, batches: number | undefined): string {
  if (batches === undefined) return `batch ${done}`;
  const full = Math.round((done / batches) * WIDTH);
  return `[${'='.repeat(full)}${full < WIDTH ? '>' : ''}${' '.repeat(Math.max(0, WIDTH - full - 1))}] ${done}/${batches}`;
}

function figures(logs: Logs): string[] {
  const shown = Object.entries(logs).filter(([name]) => name !== 'batch' && name !== 'size');
  return shown.map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
}
