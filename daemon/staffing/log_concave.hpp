// Integrals of peaked functions: the arithmetic under the staffing formulas.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>

namespace reach::staffing {

/// Visits the nodes of a quadrature of w(t) = exp(shape.height(t)) over [0, ∞).
/// The caller sums f(t)·weight over the nodes to get ∫ f·w for any smooth f it likes, several at once.
///
/// `Shape` describes a log-concave weight by its logarithm relative to its highest point:
///   peak()        where height is greatest, >= 0
///   height(t)     log w(t), 0 at the peak, concave
///   slope(t)      its derivative
///   curvature(t)  minus its second derivative; >= 0, does not increase with t
///   scale(t)      the widest panel at t over which w and the f meant for it are still smooth
/// `split`         a point that becomes a panel edge, so that f may have a step there
/// `visit`         called as visit(t, weight), in ascending t
///
/// Cost: about ten panels of 16 nodes whatever the size of the problem, since the panels follow the width of the
/// peak; 20 to 40 where the scale limits them. No term overflows. What lies more than e^-45 below the peak is left
/// out. Relative error below 1e-13 for the shapes in erlang.cpp (pinned by the vectors of erlang_test.cpp).
/// Source: Gauss-Legendre, 16 nodes a panel (Abramowitz & Stegun 25.4.30).
template <class Shape, class Visit>
void for_each_node(const Shape& shape, double split, Visit visit) {
  constexpr std::array<double, 8> node = {0.0950125098376374402, 0.281603550779258913, 0.458016777657227386,
                                          0.617876244402643748,  0.755404408355003034, 0.865631202387831744,
                                          0.944575023073232576,  0.98940093499164993};
  constexpr std::array<double, 8> gauss = {0.189450610455068496,  0.182603415044923589, 0.16915651939500254,
                                           0.149595988816576732,  0.124628971255533872, 0.0951585116824927848,
                                           0.0622535239386478929, 0.0271524594117540949};
  constexpr double negligible = -45;  // in the logarithm
  constexpr double panel_drop = 10;   // height lost or won over a panel
  constexpr int panels_max = 1000;    // reached by no finite input; ends the loop on NaN

  const double peak = shape.peak();
  double from = 0;
  if (peak > 0 && shape.height(0) < negligible) {  // start where the weight begins to matter
    double low = 0;
    double high = peak;
    for (int i = 0; i < 200; ++i) {
      from = (low + high) / 2;
      const double height = shape.height(from);
      if (height < negligible - 15)
        low = from;
      else if (height > negligible)
        high = from;
      else
        break;
    }
  }
  for (int panel = 0; panel < panels_max; ++panel) {
    if (from > peak && shape.height(from) < negligible) return;
    const double slope = std::fabs(shape.slope(from));
    const double drop_width =
        2 * panel_drop / (slope + std::sqrt(slope * slope + 2 * panel_drop * shape.curvature(from)));
    double to = from + std::min(drop_width, shape.scale(from));
    if (from < split && split < to) to = split;
    const double middle = (from + to) / 2;
    const double half = (to - from) / 2;
    const auto at = [&](double t, double w) { visit(t, half * w * std::exp(shape.height(t))); };
    for (std::size_t i = node.size(); i-- > 0;) at(middle - half * node[i], gauss[i]);
    for (std::size_t i = 0; i < node.size(); ++i) at(middle + half * node[i], gauss[i]);
    from = to;
  }
}

}  // namespace reach::staffing
