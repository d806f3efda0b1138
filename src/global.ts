/**
 * @file The build for `<script>`: `ohem.topK`, `ohem.ohemStep`, `ohem.enableWasmTraining`, …, on
 * the page's own `tf`.
 */
export * from './backends/wasm';
export * from './index';
