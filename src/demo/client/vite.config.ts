// Owns how the demo's pages are built: src/demo/client → dist/demo, served by src/demo/page-server.ts.
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: file('.'),
  base: './',
  publicDir: false,
  plugins: [react()],
  build: {
    outDir: file('../../../dist/demo'),
    emptyOutDir: true,
    target: 'esnext',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: [file('index.html'), file('element-call.html')] },
  },
});
