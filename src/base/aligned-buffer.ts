/**
 * Buffers that start on a memory page, which direct writes (O_DIRECT) need and Buffer.alloc does not give.
 *
 * V8 reserves a WebAssembly memory, and a resizable ArrayBuffer, as whole pages of the system: both start on a
 * page boundary, without trying offsets of an ordinary buffer against a file (tried on Node 20 and 24). The
 * language does not promise it, so a directory counts as direct only after a write from such a buffer worked.
 */
import { invariant } from './assert.ts';
import { pageBytes } from './disk.ts';

const wasmPageBytes = 65536;
/** A 32-bit WebAssembly memory's limit. */
const wasmPagesMax = 65536;

interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
type WasmMemoryConstructor = new (limits: { initial: number; maximum: number }) => WasmMemory;

/**
 * A zeroed buffer that starts on a page boundary; its memory is committed as it is touched.
 * @throws {RangeError} Out of memory.
 */
export function alignedBuffer(bytes: number): Buffer<ArrayBuffer> {
  invariant(bytes > 0 && bytes % pageBytes === 0, 'an aligned buffer is a multiple of a page');
  return Buffer.from(wasmMemory(bytes) ?? resizableMemory(bytes), 0, bytes);
}

/** As fast to touch as an ordinary buffer; takes 10 GiB of address space (not memory), which can be refused. */
function wasmMemory(bytes: number): ArrayBuffer | undefined {
  const wasm = (globalThis as { WebAssembly?: { Memory: WasmMemoryConstructor } }).WebAssembly;
  const pages = Math.ceil(bytes / wasmPageBytes);
  if (wasm === undefined || pages > wasmPagesMax) return undefined;
  try {
    return new wasm.Memory({ initial: pages, maximum: pages }).buffer;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Takes no more address space than its size, under `ulimit -v` too; single stores cost about 20 ns more. */
function resizableMemory(bytes: number): ArrayBuffer {
  const memory: ArrayBuffer = Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes }]);
  return memory;
}
