export {accuracyAndLossFigure} from './accuracyAndLossFigure';
export type {FigureOptions} from './figureFrame';
export {lossHistogramFigure} from './lossHistogramFigure';
