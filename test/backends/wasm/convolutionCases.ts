import {backend_util} from '@tensorflow/tfjs-core';
import fc from 'fast-check';

type Padding = 'valid' | 'same' | number | [number, number, number, number];

export interface ConvolutionCase {
  inputShape: [number, number, number, number];
  filterShape: [number, number, number, number];
  outShape: [number, number, number, number];
  /** What a kernel of a gradient gets told of the convolution. */
  attrs: {
    strides: [number, number];
    pad: 'valid' | 'same' | number | backend_util.ExplicitPadding;
    dilations: [number, number];
    dataFormat: 'NHWC' | 'NCHW';
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
}

interface Options {
  isDepthwise?: boolean;
  dataFormats?: readonly ('NHWC' | 'NCHW')[];
  dilations?: readonly number[];
}

const upTo = (max: number) => fc.integer({min: 1, max});
const pair = <T>(value: fc.Arbitrary<T>) => fc.tuple(value, value);
/** Fewer channels than products take at a time, as many, or more. */
const channelCounts = (isDepthwise: boolean) =>
  isDepthwise ? upTo(4) : fc.oneof(upTo(4), fc.constantFrom(7, 8, 9, 17));
const zeros = fc.integer({min: 0, max: 4});

/** Convolutions of every kind that tfjs computes, with at least one pixel in their result. */
export function convolutionCases({
  isDepthwise = false,
  dataFormats = ['NHWC'],
  dilations = [1],
}: Options = {}): fc.Arbitrary<ConvolutionCase> {
  return fc
    .record({
      batchSize: upTo(3),
      size: pair(upTo(8)),
      kernel: pair(upTo(4)),
      channels: channelCounts(isDepthwise),
      /** Channels out, or filters for each channel. */
      filters: channelCounts(isDepthwise),
      strides: pair(upTo(3)),
      dilations: pair(fc.constantFrom(...dilations)),
      padding: fc.oneof(
        fc.constantFrom<Padding>('valid', 'same'),
        zeros,
        fc.tuple(fc.integer({min: -1, max: 4}), zeros, fc.integer({min: -1, max: 4}), zeros),
      ),
      dataFormat: fc.constantFrom(...dataFormats),
      rounding: fc.constantFrom('none' as const, 'floor' as const, 'round' as const, 'ceil' as const),
    })
    .map(({batchSize, size, kernel, channels, filters, strides, dilations, padding, dataFormat, rounding}) => {
      const inputShape = laidOut(batchSize, size, channels, dataFormat);
      const filterShape: ConvolutionCase['filterShape'] = [...kernel, channels, filters];
      const attrs: ConvolutionCase['attrs'] = {strides, dilations, dataFormat, pad: padOf(padding, dataFormat)};
      if (typeof padding !== 'string' && rounding !== 'none') attrs.dimRoundingMode = rounding;
      const {outShape} = backend_util.computeConv2DInfo(
        inputShape,
        filterShape,
        strides,
        dilations,
        attrs.pad,
        attrs.dimRoundingMode,
        isDepthwise,
        backend_util.convertConv2DDataFormat(dataFormat),
      );
      return {inputShape, filterShape, outShape, attrs};
    })
    .filter(({outShape}) => outShape.every((length) => length >= 1));
}

function laidOut(
  batchSize: number,
  [height, width]: [number, number],
  channels: number,
  dataFormat: 'NHWC' | 'NCHW',
): [number, number, number, number] {
  return dataFormat === 'NHWC' ? [batchSize, height, width, channels] : [batchSize, channels, height, width];
}

function padOf(padding: Padding, dataFormat: 'NHWC' | 'NCHW'): ConvolutionCase['attrs']['pad'] {
  if (!Array.isArray(padding)) return padding;
  const [top, bottom, left, right] = padding;
  const around: [number, number][] = [
    [top, bottom],
    [left, right],
  ];
  const none: [number, number] = [0, 0];
  return (dataFormat === 'NHWC' ? [none, ...around, none] : [none, none, ...around]) as backend_util.ExplicitPadding;
}

/**
 * The same convolution by an undilated filter, with zeros between the pixels of the dilated one.
 */
export function undilated({filterShape, attrs, ...shapes}: ConvolutionCase): ConvolutionCase {
  const [height, width, ...channels] = filterShape;
  const [rows, columns] = attrs.dilations;
  return {
    ...shapes,
    filterShape: [(height - 1) * rows + 1, (width - 1) * columns + 1, ...channels],
    attrs: {...attrs, dilations: [1, 1]},
  };
}
