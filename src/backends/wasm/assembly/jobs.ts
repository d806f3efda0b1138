import {computeFilterGradient, computeInputGradient, FilterGradient, InputGradient} from './convolution';
import {
  ActivationGradient,
  computeActivationGradient,
  computeRowSum,
  computeSgdUpdate,
  computeSquareSum,
  RowSum,
  SgdUpdate,
  SquareSum,
} from './elementwise';
import {Job} from './job';
import {FILTER_GRADIENT, INPUT_GRADIENT, PRODUCT, ROW_SUM, SGD, SQUARES} from './kinds';
import {computeProduct, Product} from './product';

/** Computes a job on the calling thread. */
export function run(job: Job): void {
  for (let tile = 0; tile < job.tiles; tile++) compute(job, tile, 0);
}

/** Computes one tile of a job. */
export function compute(job: Job, tile: i32, thread: i32): void {
  const numbers = changetype<usize>(job) + offsetof<Job>();
  const scratch = job.scratch + <usize>thread * job.scratchSize;
  if (job.kind === PRODUCT) computeProduct(changetype<Product>(numbers), tile, scratch);
  else if (job.kind === FILTER_GRADIENT) computeFilterGradient(changetype<FilterGradient>(numbers), tile, scratch);
  else if (job.kind === INPUT_GRADIENT) computeInputGradient(changetype<InputGradient>(numbers), tile, scratch);
  else if (job.kind === SQUARES) computeSquareSum(changetype<SquareSum>(numbers));
  else if (job.kind === ROW_SUM) computeRowSum(changetype<RowSum>(numbers));
  else if (job.kind === SGD) computeSgdUpdate(changetype<SgdUpdate>(numbers));
  else computeActivationGradient(changetype<ActivationGradient>(numbers));
}
