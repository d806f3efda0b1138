import {reshape, Tensor} from '@tensorflow/tfjs-core';
import {shapeText, typeError} from '../checks';
import type {SelectionContext} from '../types';
import {type Elements, rowOfEachElement} from './elements';

/** What of a selector's context has a value for each row; where elements are mined it may have the shape of these, `[B, …]`. */
type PerRowContext = 'valid' | 'positive' | 'group' | 'reference' | 'boxes';

/** The context of a selector as a step is given it. */
export type GivenContext = Omit<SelectionContext, PerRowContext> & {[name in PerRowContext]?: Tensor};

/** What follows the axes of the rows or elements. */
const FURTHER_AXES: Record<PerRowContext, number[]> = {valid: [], positive: [], group: [], reference: [], boxes: [4]};

/** Puts the elements of a context in rows, `[B·P]`; the group of each is its row in the batch where nothing else is given. */
export function elementContext(where: string, given: GivenContext, elements: Elements): SelectionContext {
  const names = (Object.keys(FURTHER_AXES) as PerRowContext[]).filter((name) => given[name] !== undefined);
  const flat = names.map((name) => [name, flattened(where, name, given[name] as Tensor, elements)]);
  return {...given, group: rowOfEachElement(elements), ...Object.fromEntries(flat)} as SelectionContext;
}

function flattened(where: string, name: PerRowContext, given: Tensor, elements: Elements): Tensor {
  const flat = [elements.count, ...FURTHER_AXES[name]];
  const shapes = [flat, ...elements.shapes.map((shape) => [...shape, ...FURTHER_AXES[name]])];
  const texts = [...new Set(shapes.map((shape) => shapeText(shape)))].join(' or ');
  if (!(given instanceof Tensor)) {
    throw typeError(where, name, `be a tensor of shape ${texts}`, given, 'Make one with tf.tensor().');
  }
  if (!shapes.some((shape) => String(shape) === String(given.shape))) {
    throw typeError(where, name, `have shape ${texts}, one value for each element`, given.shape);
  }
  return reshape(given, flat);
}
