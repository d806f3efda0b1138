// Takes a step by what CommonJS finds.
require('@tensorflow/tfjs-backend-cpu');
const tf = require('@tensorflow/tfjs-core');
const {layers, sequential} = require('@tensorflow/tfjs-layers');
const {ohemStep} = require('ohem-tfjs');
const {meanSquaredError} = require('ohem-tfjs/losses');
const {topK} = require('ohem-tfjs/selectors');

const model = sequential({layers: [layers.dense({units: 1, inputShape: [3]})]});
const step = ohemStep(model, {loss: meanSquaredError(), select: topK({k: 2}), optimizer: tf.train.sgd(0.1)});
tf.setBackend('cpu')
  .then(() => step(tf.ones([4, 3]), tf.ones([4, 1])).read())
  .then(({kept}) => {
    if (kept !== 2) throw new Error(`kept ${kept}`);
    console.log('CommonJS: ok');
  });
