/** The store in memory keeps the contract. */
import { memoryCheckpointStore } from '../../src/checkpoint/memory.ts';
import { checkpointStoreSuite } from '../conformance/checkpoint-store.ts';

checkpointStoreSuite('memory', async () => memoryCheckpointStore());
