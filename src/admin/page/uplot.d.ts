/** The server gives the package's module under this name. */
import uPlot from 'uplot';

// biome-ignore lint/style/noDefaultExport: it is what the package has
export { uPlot as default };
