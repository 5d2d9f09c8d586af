"""Reports to hand over: what is measured, as files that the same warehouse makes again."""
