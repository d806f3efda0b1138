import type {io} from '@tensorflow/tfjs-core';

/** A handler that keeps what it is given in memory, as JSON and bytes. */
export function shelf() {
  const saved: {json: string; weightData: ArrayBuffer}[] = [];
  const save: io.SaveHandler = async ({weightData, ...artifacts}) => {
    saved.push({json: JSON.stringify(artifacts), weightData: (weightData as ArrayBuffer).slice(0)});
    return {modelArtifactsInfo: {dateSaved: new Date(), modelTopologyType: 'JSON'}};
  };
  const load = async (i: number) => {
    const {json, weightData} = saved[i] as (typeof saved)[number];
    return {...JSON.parse(json), weightData} as io.ModelArtifacts;
  };
  return {saved, save, at: (i: number) => ({load: () => load(i)})};
}
