// Concerns: a table of results can be read at 80 columns, and names the best other contestant, the
// best malloc and the ratios to them. Plan: tables of known figures.

#include "support/result_table.hpp"
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace {

using resident::bench::result_table;
using testing::HasSubstr;
using testing::Not;

/// Each column has one best other contestant, whose name fills its cell.
result_table table_of(int columns) {
    result_table table("title", "ns a block", "resident");
    for (int column = 0; column < columns; ++column) {
        const std::string name = "column " + std::to_string(column);
        table.set("resident", name, 10);
        table.set("jemalloc", name, 40);
        table.set("glibc mlock", name, 20);
    }
    return table;
}

TEST(ResultTable, NamesThatFillTheirCellsHaveASpaceBetween) {
    EXPECT_THAT(table_of(5).text(), HasSubstr("best other  glibc mlock glibc mlock glibc mlock "
                                              "glibc mlock glibc mlock\n"));
}

TEST(ResultTable, FitsEightyColumns) {
    for (int columns = 1; columns <= 6; ++columns)
        EXPECT_LE(resident::test::widest_line(table_of(columns).text()), 80U) << columns;
}

TEST(ResultTable, HeadsAndFiguresEndWhereTheirColumnEnds) {
    EXPECT_THAT(table_of(2).text(), HasSubstr("               column 0    column 1\n"));
    EXPECT_THAT(table_of(2).text(), HasSubstr("jemalloc     40.0 4.00x  40.0 4.00x\n"));
}

TEST(ResultTable, TheBestOtherIsNoBoundAndTheBestMallocServesEverySize) {
    result_table table("title", "ns a block", "no heap");
    for (const auto& [row, time] :
         {std::pair{"no heap", 1.0}, std::pair{"resident", 3.0}, std::pair{"boost", 2.0},
          std::pair{"jemalloc", 6.0}, std::pair{"glibc", 12.0}})
        table.set(row, "pairs", time);
    EXPECT_THAT(table.text(), HasSubstr("best other        boost\n  resident        1.50x\n"));
    EXPECT_THAT(table.text(), HasSubstr("best malloc    jemalloc\n  resident        0.50x\n"));
    EXPECT_THAT(table.text(), Not(HasSubstr("bound"))); // every row is compared to it already
}

TEST(ResultTable, HasNoLinesOfTheOthersWhereThereAreNone) {
    result_table table("title", "ns a block", "ref");
    table.set("ref", "pairs", 1);
    table.set("resident", "pairs", 2);
    EXPECT_THAT(table.text(), Not(HasSubstr("best")));
}

} // namespace
