import {DEFAULTS} from '../training/settings';

export const HELP = `\
Trains one network on the hardest rows of batches that lie in several shards, and compares the weights with
those of one process that has the whole batch.

  npm run shards                                     2 threads, then 2 processes; about a minute on two free cores
  npm run shards -- --mode network --checkpoints DIR          the same in processes, with checkpoints
  npm run shards -- --mode network --checkpoints DIR --resume    resume after Ctrl-C, a crash or a power cut

What is trained
  --mode NAME         threads, which share memory; network, processes that meet at a hub over TCP on this machine;
                      or both (default both)
  --shards LIST       how many shards, with commas: each is a run (default ${DEFAULTS.shards})
  --rows N            rows of a batch, of all shards together (default ${DEFAULTS.rows})
  --k N               how many of them are backpropagated (default ${DEFAULTS.k})
  --steps N           steps of each run (default ${DEFAULTS.steps})
  --hidden N          units of the hidden layer (default ${DEFAULTS.hidden})
  --lr RATE           learning rate of momentum (default ${DEFAULTS.learningRate})
  --seed N            of the first weights, the drawn digits and their order (default ${DEFAULTS.seed})

What it is trained on
  --data DIR          folder with the four IDX files of MNIST (default: digits that the example draws)
  --digits N          draw N digits to train on, and a sixth as many to test on (default ${DEFAULTS.digits})

What may go wrong
  --timeout MS        milliseconds that a shard may take for a part of a step (default ${DEFAULTS.timeout})
  --checkpoints DIR   folder of the checkpoint, for one mode and one number of shards
  --save-every N      steps between two checkpoints (default 50)
  --resume            resume from the checkpoint; ends with the same weights as if it had never stopped

  --json FILE         write the figures to a file
  --help              this text
`;
