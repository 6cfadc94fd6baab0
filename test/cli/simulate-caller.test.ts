import { describe, expect, it, onTestFinished } from 'vitest';
import { readCaller, simulateCaller } from '../../src/cli/doctor/simulate-caller.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { configOf } from '../support/data-path.js';
import { startGateway } from '../support/running-gateway.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

async function manager(): Promise<SimulatedManager> {
  const made = await startSimulatedManager();
  onTestFinished(() => made.stop());
  return made;
}

describe('doctor --simulate-caller', () => {
  async function simulate(
    addrs: readonly string[],
    sets: readonly string[],
  ): Promise<{ code: number; text: string }> {
    let text = '';
    const config = configOf('', [`managers.addrs=${JSON.stringify(addrs)}`, ...sets]);
    const caller = 'hostname=node-1,ip=127.0.0.9,idc=idc-a,location=here';
    const stdout = { write: (part: string) => (text += part) };
    return { code: await simulateCaller({ config, caller, json: false, stdout }), text };
  }

  it('asks the gateway that runs, and says from where the answer is and why', async () => {
    const simulated = await manager();
    const running = await startGateway({ managers: [simulated.address] });
    onTestFinished(() => running.gateway.stop());
    const sets = [`server.listen=${running.address}`];
    const first = await simulate([simulated.address], sets);
    expect(first.text).toMatch(
      /^asked: the gateway that runs here\nanswer: OK, .*asked of the manager just now/,
    );
    expect(first.text).toMatch(/\n {2}1\. sched-a 10\.1\.0\.1:8002, cluster cluster-1, active\n/);
    expect(first.code).toBe(0);
    await simulated.stop();
    const second = await simulate([simulated.address], sets);
    expect(second.text).toMatch(/answer: OK, .*fresh, from memory/);
  });

  it('starts one of its own from a copy of the snapshot where none runs', async () => {
    const simulated = await manager();
    const dir = temporaryDirectory();
    const sets = [`snapshot.dir=${dir}`];
    const running = await startGateway({ managers: [simulated.address], sets });
    await simulate([simulated.address], [`server.listen=${running.address}`]);
    await running.gateway.drain();
    await simulated.stop();
    const { code, text } = await simulate([simulated.address], [...sets, 'server.listen=127.0.0.1:0']);
    expect(text).toMatch(/^asked: a gateway of its own.*\nanswer: OK, .*\n {2}1\. sched-a/);
    expect(code).toBe(0);
  });

  it('refuses a caller that it cannot read, saying what is allowed', () => {
    expect(readCaller('hostname=a=b,ip=127.0.0.1')).toEqual({ hostname: 'a=b', ip: '127.0.0.1' });
    expect(() => readCaller('hostname=a,ip=b,rack=1')).toThrow(/found "rack=1"; allowed: hostname=…,ip=…/);
    expect(() => readCaller('ip=127.0.0.1')).toThrow(/no hostname/);
    expect(() => readCaller('hostname=a,hostname=b,ip=c')).toThrow(/hostname twice/);
  });
});
