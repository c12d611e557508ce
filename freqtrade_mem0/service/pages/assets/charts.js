// Draws the charts of a page with Apache ECharts, in the colours of the theme.
"use strict";
(() => {
  const drawn = new Map();
  let library = null;

  const load = () => {
    library ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = document.body.dataset.echarts;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return library;
  };

  const number = (value, digits) => value.toLocaleString("en", { maximumFractionDigits: digits });
  const amount = (value) => number(value, Math.abs(value) >= 100 ? 2 : Math.abs(value) >= 1 ? 3 : 8);
  const FORMS = {
    "@percent": (value) => (typeof value === "number" ? `${number(value * 100, 2)}%` : String(value ?? "-")),
    "@money": (value) => (typeof value === "number" ? amount(value) : String(value ?? "-")),
    "@times": (value) => (typeof value === "number" ? `x${value.toFixed(2)}` : String(value ?? "-")),
  };

  // "@name" stands for a colour or a form of numbers where one is due; all other texts are as they are.
  const resolve = (value, colour, key = "") => {
    if (typeof value === "string" && value.startsWith("@")) {
      if (/formatter$/i.test(key)) return FORMS[value] ?? value;
      return /color0?$/i.test(key) ? colour(value.slice(1)) ?? value : value;
    }
    if (Array.isArray(value)) return value.map((each) => resolve(each, colour, key));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each, colour, name)]));
    }
    return value;
  };

  const completed = (given) => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim() || undefined;
    const option = resolve(given, colour);
    const text = { color: colour("text"), fontFamily: getComputedStyle(document.body).fontFamily };
    const axis = (each) => ({
      ...each,
      axisLine: { lineStyle: { color: colour("line") }, ...each.axisLine },
      axisLabel: { color: colour("soft"), hideOverlap: true, ...each.axisLabel },
      nameTextStyle: { color: colour("soft"), ...each.nameTextStyle },
      splitLine: { lineStyle: { color: colour("line"), opacity: 0.6 }, ...each.splitLine },
    });
    const axes = (each) => (Array.isArray(each) ? each.map(axis) : each && axis(each));
    return {
      backgroundColor: "transparent",
      animation: false,
      color: ["accent", "up", "warn", "info", "down", "soft"].map(colour),
      grid: { left: 8, right: 12, top: 28, bottom: 8, containLabel: true },
      ...option,
      textStyle: { ...text, ...option.textStyle },
      xAxis: axes(option.xAxis),
      yAxis: axes(option.yAxis),
      legend: option.legend && { textStyle: text, inactiveColor: colour("soft"), top: 0, type: "scroll", ...option.legend },
      // As text in the picture: a tooltip of HTML would need styles that our pages forbid.
      tooltip: {
        backgroundColor: colour("raised"), borderColor: colour("line"), textStyle: text, confine: true,
        ...option.tooltip, renderMode: "richText",
      },
    };
  };

  const draw = async () => {
    const figures = [...document.querySelectorAll(".chart[data-option]")];
    for (const [figure, chart] of drawn) if (!figure.isConnected) { chart.dispose(); drawn.delete(figure); }
    if (!figures.length || !document.body.dataset.echarts) return;
    await load();
    for (const figure of figures) {
      if (!figure.clientWidth) continue;
      let chart = drawn.get(figure);
      if (!chart) {
        chart = echarts.init(figure, null, { renderer: "canvas" });
        drawn.set(figure, chart);
        new ResizeObserver(() => { if (!chart.isDisposed() && figure.clientWidth) chart.resize(); }).observe(figure);
        chart.on("click", ({ data }) => {
          if (typeof data?.link === "string" && /^\/[^/\\]/.test(data.link)) location.assign(data.link);
        });
      }
      chart.setOption(completed(JSON.parse(figure.dataset.option)), true);
      figure.dataset.drawn = "1";
    }
  };

  document.addEventListener("mem0:renewed", draw);
  addEventListener("toggle", draw, true);
  draw();
})();
